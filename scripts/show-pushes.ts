import { describePassedOver } from '../activities/file-notes';
import { withHint } from '../errors/hints';
import { count } from '../federation/count';
import type { ClusterStatus } from '../operator/status';

/** Returns a line for everything that a person should know about the clusters' last pushes. */
export function showPushes(clusters: readonly Pick<ClusterStatus, 'cluster' | 'push'>[]): string[] {
  const lines: string[] = [];
  for (const { cluster, push } of clusters) {
    const { error, summary } = push ?? {};
    const { refused, shrunk, vanished } = summary ?? {};
    if (error !== undefined) lines.push(`${cluster}: has failed since ${error.since}: ${withHint(error)}`);
    if (refused !== undefined && refused.count > 0)
      lines.push(`${cluster}: ${count(refused.count, 'file')} refused, as the data may not be its own`);
    const [example] = shrunk?.examples ?? [];
    if (shrunk !== undefined && example !== undefined)
      lines.push(
        `${cluster}: ${count(shrunk.count, 'shrunk file')} uploaded in the last day, such as ${example.path} (${example.why})`,
      );
    if (vanished !== undefined && vanished > 0)
      lines.push(
        `${cluster}: ${count(vanished, 'file')} uploaded again in the last day, because the copies in the bucket had vanished`,
      );
    if (summary !== undefined)
      for (const sentence of describePassedOver(summary)) lines.push(`${cluster}: ${sentence}`);
  }
  return lines;
}
