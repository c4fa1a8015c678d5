import { count } from '../federation/count';
import { shortList } from '../query/notes';
import { formatAge, formatSpan } from './format';
import type { ClusterSummary } from './survey';

/** What to do about the clusters in each state of silence. */
export const advice = {
  late: 'Run `federated-etl doctor` there, and look at its log.',
  gone: 'If it was shut down, exclude or remove it; until then, its last data stays in the combined set. Otherwise run `federated-etl doctor` there.',
} as const;

/**
 * Returns one text for each state that occurs (late or gone). The text says which clusters are in this state, how many
 * they are, and what to do.
 */
export function describeSilent(clusters: readonly ClusterSummary[], now: Date): string[] {
  const expected = clusters.filter(({ silence }) => silence.state !== 'not-expected');
  return (['late', 'gone'] as const).flatMap((state) => {
    const found = expected.filter(({ silence }) => silence.state === state);
    if (found.length === 0) return [];
    const number = `${found.length} of ${count(expected.length, 'cluster')} ${found.length === 1 ? 'is' : 'are'} ${state}`;
    return [`${number}: ${shortList(found.map((one) => describeOne(one, now)))}. ${advice[state]}`];
  });
}

function describeOne({ cluster, lastPush, silence, windows }: ClusterSummary, now: Date): string {
  const missing = windows.reduce((sum, one) => sum + one.missing, 0);
  return `${cluster} (${[
    lastPush === undefined ? 'no files in its folder' : `last push ${formatAge(lastPush, now)}`,
    `usually every ${formatSpan(silence.usualMs)}`,
    ...(silence.back === undefined ? [] : [`came back ${formatAge(silence.back, now)}`]),
    ...(missing === 0 ? [] : [`${count(missing, 'window')} missing`]),
  ].join(', ')})`;
}
