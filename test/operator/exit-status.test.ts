import { type RunOutcome, runOutcomes } from '../../federation/run';
import { exitStatusAfter } from '../../operator/exit-status';

/** The exit statuses to expect after a run with a given outcome, if the status before the run was 0, 3 or 1. */
const table: Record<RunOutcome, [number, number, number]> = {
  complete: [0, 3, 1],
  nothing: [0, 3, 1],
  partial: [3, 3, 1],
  'on-hold': [1, 1, 1],
  failed: [1, 1, 1],
  cancelled: [1, 1, 1],
};

it.each(runOutcomes)('a run that ends as %s', (outcome) => {
  expect([0, 3, 1].map((before) => exitStatusAfter(outcome, before))).toEqual(table[outcome]);
});
