import type { DuckDBConnection } from '@duckdb/node-api';
import type { Pipeline } from '../etl/window';
import type { ClusterCoverage } from './answer';
import { rowsOf } from './database';
import type { Peaks } from './peaks';
import type { ExcludedCluster } from './publish';

/** A served window file, with the number and cost of the records of each cluster. */
export interface ServedFile {
  readonly id: number;
  readonly pipeline: Pipeline;
  readonly resolution: string;
  readonly start: number;
  readonly end: number;
  readonly digest: string;
  readonly peaks: Peaks;
  /** Number of records of each cluster, by cluster number. */
  readonly records: ReadonlyMap<number, number>;
  /** Total cost of each cluster's records, by cluster number. */
  readonly costs: ReadonlyMap<number, number>;
  readonly notFinite: readonly NotFiniteNumbers[];
}

/** The number of NaN and infinite values of a field in a file's records of a cluster. Such values are treated as 0. */
export interface NotFiniteNumbers {
  readonly cluster: number;
  readonly field: string;
  readonly numbers: number;
}

/** A stored day whose total cost for a cluster differs from that of the 24 stored hours of the same day. */
export interface Disagreement {
  readonly cluster: number;
  readonly day: ServedFile;
  readonly hours: readonly ServedFile[];
  readonly cost: { readonly day: number; readonly hours: number };
}

/** The data of the served generation. */
export interface Catalog {
  readonly generation?: number;
  readonly committedAt?: string;
  readonly ingestedAt: string;
  /** Sorted by the start of their windows. Of windows with the same start, longer ones come first. */
  readonly files: readonly ServedFile[];
  /** Names of the clusters that have records in the served files, by cluster number. The entries are sorted by name. */
  readonly clusters: ReadonlyMap<number, string>;
  readonly excluded: readonly ExcludedCluster[];
  readonly disagreements: readonly Disagreement[];
  /**
   * `any`: whether there is a container with different labels, services, … in different windows. `controllers`: whether
   * there is one with different controllers.
   */
  readonly twins: { readonly any: boolean; readonly controllers: boolean };
}

/** Reads the catalog of the generation that a connection's transaction sees; undefined if nothing was ever served. */
export async function readCatalog(connection: DuckDBConnection): Promise<Catalog | undefined> {
  const [generation] = await rowsOf(connection, 'select * from generation');
  if (generation === undefined) return undefined;
  const { generation: number, committed_at: committedAt, ingested_at: ingestedAt } = generation;
  const ofFile = async (table: string) =>
    Map.groupBy(
      await rowsOf(connection, `select t.* from ${table} t join served using (file) order by all`),
      (row) => Number(row['file']),
    );
  const [contributions, notFinite] = [await ofFile('contribution'), await ofFile('not_finite')];
  const rows = await rowsOf(
    connection,
    'select * from file where id in (select file from served) order by window_start, window_end desc, pipeline',
  );
  const files = rows.map((row): ServedFile => {
    const id = Number(row['id']);
    const byCluster = (column: string) =>
      new Map((contributions.get(id) ?? []).map((one) => [Number(one['cluster']), Number(one[column])]));
    return {
      id,
      pipeline: row['pipeline'] as Pipeline,
      resolution: String(row['resolution']),
      start: Number(row['window_start']),
      end: Number(row['window_end']),
      digest: String(row['digest']),
      peaks: new Map(
        (row['peaks'] as { key: string; value: number }[]).map(({ key, value }) => [key, value]),
      ),
      records: byCluster('records'),
      costs: byCluster('cost'),
      notFinite: (notFinite.get(id) ?? []).map((one) => ({
        cluster: Number(one['cluster']),
        field: String(one['field']),
        numbers: Number(one['numbers']),
      })),
    };
  });
  const clusters = await rowsOf(
    connection,
    `select * from cluster
where id in (select cluster from contribution join served using (file)) order by name`,
  );
  const excluded = await rowsOf(connection, 'select * from excluded order by cluster');
  const [twins] = await rowsOf(
    connection,
    'select count(*) > 0 as any, coalesce(bool_or(controllers_differ), false) as controllers from twin',
  );
  return {
    ...(typeof number === 'number' && { generation: number }),
    ...(typeof committedAt === 'string' && { committedAt }),
    ingestedAt: String(ingestedAt),
    files,
    clusters: new Map(clusters.map((row) => [Number(row['id']), String(row['name'])])),
    excluded: excluded.map(({ cluster, reason }) => ({
      cluster: String(cluster),
      ...(typeof reason === 'string' && reason !== '' && { reason }),
    })),
    disagreements: findDisagreements(files),
    twins: { any: twins?.['any'] === true, controllers: twins?.['controllers'] === true },
  };
}

/** Describes the stored data of each cluster, sorted by cluster name. */
export function coverageOf({ files, clusters }: Catalog): ClusterCoverage[] {
  return [...clusters]
    .filter(([, name]) => name !== '')
    .flatMap(([number, cluster]) => {
      const own = files.filter(({ records }) => records.has(number));
      if (own.length === 0) return [];
      const groups = Map.groupBy(own, ({ pipeline, resolution }) => `${pipeline}/${resolution}`);
      const windows: Record<string, number> = {};
      const missing: Record<string, number> = {};
      for (const [group, held] of groups) {
        windows[group] = held.length;
        missing[group] = spanned(held) - held.length;
      }
      const newest = own
        .filter(({ pipeline }) => pipeline === 'allocations')
        .reduce<ServedFile | undefined>(
          (best, file) => (best === undefined || file.end >= best.end ? file : best),
          undefined,
        );
      return [
        {
          cluster,
          firstData: Math.min(...own.map(({ start }) => start)),
          lastData: Math.max(...own.map(({ end }) => end)),
          windows,
          missing,
          allocations: newest?.records.get(number) ?? 0,
          notFinite: own
            .flatMap(({ notFinite }) => notFinite)
            .reduce((sum, one) => sum + (one.cluster === number ? one.numbers : 0), 0),
        },
      ];
    })
    .sort((a, b) => (a.cluster < b.cluster ? -1 : 1));
}

const [hour, day] = [3_600, 86_400];
/**
 * The largest accepted difference between the cost of a day and the sum of its hours, as a fraction of the larger of
 * the two.
 */
const tolerance = 0.01;

/** Finds stored days of which all 24 hours are stored, too, but with a different total cost for a cluster. */
function findDisagreements(files: readonly ServedFile[]): Disagreement[] {
  const hourly = new Map(
    files
      .filter(({ start, end }) => end - start === hour)
      .map((file) => [`${file.pipeline} ${file.start}`, file]),
  );
  return files.flatMap((file) => {
    if (file.end - file.start !== day) return [];
    const hours = Array.from({ length: day / hour }, (_, index) =>
      hourly.get(`${file.pipeline} ${file.start + index * hour}`),
    ).filter((one) => one !== undefined);
    if (hours.length < day / hour) return [];
    return [...file.costs].flatMap(([cluster, cost]) => {
      const costs = hours.flatMap(({ costs: ofHour }) => ofHour.get(cluster) ?? []);
      const sum = costs.reduce((total, one) => total + one, 0);
      if (costs.length < hours.length) return [];
      if (Math.abs(cost - sum) <= tolerance * Math.max(Math.abs(cost), Math.abs(sum))) return [];
      return [{ cluster, day: file, hours, cost: { day: cost, hours: sum } }];
    });
  });
}

/** Returns the number of windows from the first file to the last one, missing ones included. */
function spanned(files: readonly ServedFile[]): number {
  const [first] = files;
  if (first === undefined) return 0;
  const from = Math.min(...files.map(({ start }) => start));
  const to = Math.max(...files.map(({ end }) => end));
  return Math.round((to - from) / (first.end - first.start));
}
