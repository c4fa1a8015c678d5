import { pipelines } from '../etl/window';
import { type Generation, openQuarantined } from '../federation/generation';
import type { Inventory } from '../federation/inventory';
import { shortList } from '../query/notes';
import type { ClusterSummary } from './survey';

/**
 * Says which included clusters run versions that do not match those of the federator or of other clusters, and what to
 * do.
 */
export function describeSkew(
  clusters: readonly Pick<ClusterSummary, 'cluster' | 'membership' | 'inventory'>[],
  generation: Generation | undefined,
): string[] {
  if (generation === undefined) return [];
  const included = clusters.flatMap(({ cluster, membership, inventory }) =>
    membership === 'in' && inventory !== undefined ? [{ cluster, inventory }] : [],
  );
  return [
    ...describePrograms(included, generation.program),
    ...pipelines.flatMap((pipeline) => describeCodecs(included, pipeline)),
    ...describeTooNew(generation),
  ];
}

interface Included {
  readonly cluster: string;
  readonly inventory: Inventory;
}

function describePrograms(clusters: readonly Included[], federator: string): string[] {
  const of = (sign: number) =>
    clusters.flatMap(({ cluster, inventory: { program } }) =>
      program !== undefined && Math.sign(compareMinor(program, federator)) === sign
        ? [`${cluster} (${program})`]
        : [],
    );
  const [older, newer] = [of(-1), of(1)];
  return [
    ...(older.length === 0
      ? []
      : [
          `Federated ETL is older than the federator's ${federator} on ${shortList(older)}. Upgrade it there.`,
        ]),
    ...(newer.length === 0
      ? []
      : [
          `The federator's Federated ETL ${federator} is older than that of ${shortList(newer)}. Upgrade it.`,
        ]),
  ];
}

/** Compares the major and minor numbers of two versions. Versions without such numbers count as equal. */
function compareMinor(a: string, b: string): number {
  const [x, y] = [a, b].map((version) => /^(\d+)\.(\d+)\./.exec(version)?.slice(1).map(Number));
  if (x === undefined || y === undefined) return 0;
  return (x[0] ?? 0) - (y[0] ?? 0) || (x[1] ?? 0) - (y[1] ?? 0);
}

/**
 * Describes the clusters whose agents write an older codec version than the newest. A merge keeps every record in its
 * own codec version, so fields that the older version lacks stay empty.
 */
function describeCodecs(clusters: readonly Included[], pipeline: (typeof pipelines)[number]): string[] {
  const known = clusters.flatMap(({ cluster, inventory }) => {
    const codec = inventory.codecs[pipeline];
    return codec === undefined ? [] : [{ cluster, codec }];
  });
  const newest = known.reduce((highest, { codec }) => Math.max(highest, codec), 0);
  const older = known.filter(({ codec }) => codec < newest);
  if (older.length === 0) return [];
  const list = shortList(older.map(({ cluster, codec }) => `${cluster} (${codec})`));
  return [
    `Some agents write ${pipeline} in an older codec version than the newest, ${newest}: ${list}. Fields that it lacks are empty for these clusters. Upgrade the agents.`,
  ];
}

function describeTooNew(generation: Generation): string[] {
  const found = openQuarantined(generation).filter(({ code }) => code === 'ETL_TOO_NEW');
  if (found.length === 0) return [];
  const list = shortList([...new Set(found.map(({ cluster }) => cluster))]);
  return [
    `Some files have a codec version that the federator cannot read yet: ${list}. Upgrade the federator.`,
  ];
}
