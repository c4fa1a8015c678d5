import type { Span } from '../../../query/span';
import type { Portion } from './stored-sets';

/**
 * For each step (a period of the query's result), selects the portions of data that are counted in it. A portion is the
 * records of one cluster in one set. Selected portions of a cluster never overlap, so no time is counted twice.
 * 1. Selects portions that lie inside a step. Begins with the longest, so that shorter ones only fill gaps.
 * 2. Fills the remaining gaps with portions that lie only partly in a step. Begins with the shortest. All costs of such
 *    a portion are counted in the first step that it overlaps.
 */
export function coverSteps<R>(steps: readonly Span[], all: readonly Portion<R>[]): Portion<R>[][] {
  const answers = steps.map((): Portion<R>[] => []);
  for (const candidates of Map.groupBy(all, ({ cluster }) => cluster).values()) {
    const taken: Portion<R>[] = [];
    const take = (fits: (portion: Portion<R>, step: Span) => boolean, order: readonly Portion<R>[]) => {
      for (const portion of order) {
        const index = steps.findIndex((step) => fits(portion, step));
        if (index < 0 || taken.some((other) => overlap(other, portion))) continue;
        taken.push(portion);
        answers[index]?.push(portion);
      }
    };
    const fromFinest = [...candidates].sort((a, b) => length(a) - length(b) || a.start - b.start);
    const fromCoarsest = [...candidates].sort((a, b) => length(b) - length(a) || a.start - b.start);
    take((portion, step) => portion.start >= step.start && portion.end <= step.end, fromCoarsest);
    take(overlap, fromFinest);
  }
  for (const answer of answers) answer.sort((a, b) => a.start - b.start);
  return answers;
}

function overlap(a: Span, b: Span): boolean {
  return a.start < b.end && b.start < a.end;
}

function length({ start, end }: Span): number {
  return end - start;
}
