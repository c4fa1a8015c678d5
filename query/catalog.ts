import type { DuckDBConnection } from '@duckdb/node-api';
import type { Pipeline } from '../etl/window';
import type { ClusterCoverage } from './answer';
import { rowsOf } from './database';
import type { StoredMeasure } from './schema';

/** A window file that is served, and the clusters that have something in it. */
export interface ServedFile {
  readonly id: number;
  readonly pipeline: Pipeline;
  readonly resolution: string;
  readonly start: number;
  readonly end: number;
  readonly digest: string;
  /** Of allocations, the measures that are not 0 in all of them. */
  readonly measures: readonly StoredMeasure[];
  /** Records by the number of their cluster. */
  readonly records: ReadonlyMap<number, number>;
}

/** What is served: one generation. */
export interface Catalog {
  readonly generation?: number;
  readonly committedAt?: string;
  readonly ingestedAt: string;
  readonly files: readonly ServedFile[];
  /** Names by number. */
  readonly clusters: ReadonlyMap<number, string>;
  /** Whether some allocation's labels, services, … or controller are not the same in all windows. */
  readonly twins: { readonly any: boolean; readonly controllers: boolean };
}

/** Reads what a connection's transaction sees; undefined when nothing was ever served. */
export async function readCatalog(connection: DuckDBConnection): Promise<Catalog | undefined> {
  const [generation] = await rowsOf(connection, 'select * from generation');
  if (generation === undefined) return undefined;
  const { generation: number, committed_at: committedAt, ingested_at: ingestedAt } = generation;
  const records = new Map<number, Map<number, number>>();
  for (const row of await rowsOf(connection, 'select * from contribution join served using (file)')) {
    const file = Number(row['file']);
    const known = records.get(file) ?? new Map<number, number>();
    records.set(file, known.set(Number(row['cluster']), Number(row['records'])));
  }
  const files = await rowsOf(
    connection,
    'select * from file where id in (select file from served) order by window_start, id',
  );
  const clusters = await rowsOf(connection, 'select * from cluster');
  const [twins] = await rowsOf(
    connection,
    'select count(*) > 0 as any, coalesce(bool_or(controllers_differ), false) as controllers from twin',
  );
  return {
    ...(typeof number === 'number' && { generation: number }),
    ...(typeof committedAt === 'string' && { committedAt }),
    ingestedAt: String(ingestedAt),
    files: files.map((row) => ({
      id: Number(row['id']),
      pipeline: row['pipeline'] as Pipeline,
      resolution: String(row['resolution']),
      start: Number(row['window_start']),
      end: Number(row['window_end']),
      digest: String(row['digest']),
      measures: row['measures'] as StoredMeasure[],
      records: records.get(Number(row['id'])) ?? new Map<number, number>(),
    })),
    clusters: new Map(clusters.map((row) => [Number(row['id']), String(row['name'])])),
    twins: { any: twins?.['any'] === true, controllers: twins?.['controllers'] === true },
  };
}

/** What is held of each cluster, by name. */
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
        },
      ];
    })
    .sort((a, b) => (a.cluster < b.cluster ? -1 : 1));
}

/** How many windows there would be from the first to the last of them. */
function spanned(files: readonly ServedFile[]): number {
  const [first] = files;
  if (first === undefined) return 0;
  const from = Math.min(...files.map(({ start }) => start));
  const to = Math.max(...files.map(({ end }) => end));
  return Math.round((to - from) / (first.end - first.start));
}
