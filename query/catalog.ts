import { ownValue } from '../etl/own-value';
import type { Pipeline } from '../etl/window';
import type { ClusterCoverage } from './answer';
import { rowsOf } from './database';
import type { Peaks } from './peaks';
import type { ExcludedCluster } from './publish';
import type { Statements } from './statements';

/** A window file that queries read, with the number and total cost of the records from each cluster. */
export interface ServedFile {
  readonly id: number;
  readonly pipeline: Pipeline;
  readonly resolution: string;
  readonly start: number;
  readonly end: number;
  readonly digest: string;
  readonly peaks: Peaks;
  /** Number of records from each cluster, by cluster id. */
  readonly records: ReadonlyMap<number, number>;
  /** Total cost of the records from each cluster, by cluster id. */
  readonly costs: ReadonlyMap<number, number>;
  readonly notFinite: readonly NotFiniteNumbers[];
}

/**
 * How many values of one field are NaN or infinite, in the records from one cluster in one file. Queries treat these
 * values as 0.
 */
export interface NotFiniteNumbers {
  readonly cluster: number;
  readonly field: string;
  readonly numbers: number;
}

/**
 * A day for which two stored costs of a cluster differ: the cost in the daily file, and the sum of the costs in the 24
 * hourly files.
 */
export interface Disagreement {
  readonly cluster: number;
  readonly day: ServedFile;
  readonly hours: readonly ServedFile[];
  readonly cost: { readonly day: number; readonly hours: number };
}

/** Describes the data that queries read. */
export interface Catalog {
  readonly generation?: number;
  readonly committedAt?: string;
  readonly ingestedAt: string;
  /**
   * Window files, sorted by the start of their windows. If several windows have the same start, the longest comes
   * first.
   */
  readonly files: readonly ServedFile[];
  /** Names of the clusters that have records in `files`, by cluster id. The entries are sorted by name. */
  readonly clusters: ReadonlyMap<number, string>;
  readonly excluded: readonly ExcludedCluster[];
  readonly disagreements: readonly Disagreement[];
  /**
   * Whether any container has different properties in different windows. `any` refers to all properties, such as labels
   * and services. `controllers` refers only to the controller.
   */
  readonly twins: { readonly any: boolean; readonly controllers: boolean };
}

/**
 * Reads the catalog of the data that the transaction of `statements` sees. Returns undefined if nothing was ever ingested.
 */
export async function readCatalog(statements: Statements): Promise<Catalog | undefined> {
  const [generation] = await rowsOf(statements, 'select * from generation');
  if (generation === undefined) return undefined;
  const { generation: number, committed_at: committedAt, ingested_at: ingestedAt } = generation;
  const ofFile = async (table: string) =>
    Map.groupBy(
      await rowsOf(statements, `select t.* from ${table} t join served using (file) order by all`),
      (row) => Number(row['file']),
    );
  const [contributions, notFinite] = [await ofFile('contribution'), await ofFile('not_finite')];
  const rows = await rowsOf(
    statements,
    'select * from file where id in (select file from served) order by window_start, window_end desc, pipeline',
  );
  const files = rows.map((row): ServedFile => {
    const id = Number(row['id']);
    const byCluster = (column: string) =>
      new Map(
        (contributions.get(id) ?? []).map((one) => [Number(one['cluster']), Number(ownValue(one, column))]),
      );
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
    statements,
    `select * from cluster
where id in (select cluster from contribution join served using (file)) order by name`,
  );
  const excluded = await rowsOf(statements, 'select * from excluded order by cluster');
  const [twins] = await rowsOf(
    statements,
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

/** Summarises the stored data of each cluster. The result is sorted by cluster name. */
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
 * The largest accepted difference between the cost of a day and the sum of the costs of its hours, as a fraction of the
 * larger cost.
 */
const tolerance = 0.01;

/** Finds days for which the daily file and the 24 hourly files disagree about the total cost of a cluster. */
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

/**
 * Returns the number of windows from the start of the first file to the end of the last file, including missing
 * windows.
 */
function spanned(files: readonly ServedFile[]): number {
  const [first] = files;
  if (first === undefined) return 0;
  const from = Math.min(...files.map(({ start }) => start));
  const to = Math.max(...files.map(({ end }) => end));
  return Math.round((to - from) / (first.end - first.start));
}
