import type { DrawnPlan } from '../../activities/drawn-plan';
import { logPlan } from '../../activities/log-plan';
import { type Log, silentLog } from '../../config/log';

/** Returns a plan without windows, based on a generation that another federator committed. */
function planAfter(federator: string, generation: number): DrawnPlan {
  return {
    outcome: 'nothing-changed',
    membership: { federator: 'own', clusters: [], excluded: {} },
    baseGeneration: { generation, membership: { federator }, notices: [] },
    listing: { kind: 'full' },
    windows: [],
    carried: [],
    removed: [],
    names: { nameConflicts: {} },
    withoutWindows: [],
    found: [],
    ignored: [],
    notices: [],
    duplicates: [],
  } as unknown as DrawnPlan;
}

it('warns once of each other federator, such as the one that this cluster was before it was renamed', () => {
  const warned: unknown[] = [];
  const log: Log = {
    ...silentLog,
    warn: (fields: object) => void warned.push((fields as { federator: string }).federator),
  };
  const known = new Set<string>();
  for (const federator of ['earlier', 'earlier', 'own', 'other', 'earlier', 'other'])
    logPlan(log, planAfter(federator, 1), known);
  expect(warned).toEqual(['earlier', 'other']);
});
