import type { Span } from '../../../query/span';
import type { Portion } from './stored-sets';

/**
 * Selects the portions that answer each step. For each cluster, it first selects portions that lie inside a step,
 * coarsest first, so that finer ones only fill the gaps. Then it fills the remaining gaps with portions that only
 * partly overlap a step, finest first. Such a portion counts as a whole in the first step that it overlaps. No time is
 * counted twice.
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
