import { markdownTable } from '../bench/table';
import type { ActionCounts } from './actions';
import type { Role } from './plan';
import type { SampleCounts } from './sampler';
import type { Violation } from './violation';

/** What a run of chaos has done and found. */
export interface ChaosReport {
  readonly command: string;
  readonly store: string;
  /** Rounds after which the federation was compared with what it has to be. */
  readonly rounds: number;
  readonly actions: ActionCounts;
  readonly samples: SampleCounts;
  /** Number of the newest generation. */
  readonly generations: number;
  /** Largest resident memory of any process, by role, in bytes. */
  readonly peaks: ReadonlyMap<Role, number>;
  readonly seconds: number;
  /** Faults that cannot be injected on this machine, with the reason. */
  readonly missing: readonly string[];
  readonly violations: readonly Violation[];
  /** Folder with the store, the logs and the settings. Undefined if it was removed. */
  readonly evidence?: string;
}

/** Returns the report as Markdown. */
export function describeReport(report: ChaosReport): string {
  const { actions, samples, violations } = report;
  const rows: [string, string | number][] = [
    ['rounds', report.rounds],
    ['kills', withKinds(actions.kills)],
    ['stops', withKinds(actions.stops)],
    ['store faults', withKinds(actions.faults)],
    ['files rewritten', actions.rewrites],
    ['exclusions and inclusions', actions.memberships],
    ['federations requested', actions.federations],
    ['generations', report.generations],
    ['samples', samples.samples],
    ['looks while the bucket was away', samples.away],
    ['object checks', samples.objects],
    [
      'largest memory, MiB',
      [...report.peaks].map(([role, bytes]) => `${role} ${mebibytes(bytes)}`).join(', '),
    ],
    ['seconds', Math.round(report.seconds)],
    ['violations', violations.length],
  ];
  return [
    `\`${report.command}\` on ${report.store}`,
    '',
    markdownTable(['what', 'how many'], rows),
    ...report.missing.map((fault) => `Not possible here: ${fault}.`),
    ...violations.map(({ check, what }) => `VIOLATION (${check}): ${what}`),
    ...(report.evidence === undefined ? [] : [`Store, logs and settings: ${report.evidence}`]),
  ].join('\n');
}

function withKinds(counts: ReadonlyMap<string, number>): string {
  const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const kinds = [...counts].map(([kind, count]) => `${kind} ${count}`).join(', ');
  return kinds === '' ? '0' : `${all} (${kinds})`;
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
