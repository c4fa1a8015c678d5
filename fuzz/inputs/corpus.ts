import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { encodeSet } from '../../etl/file';
import { type Pipeline, pipelines } from '../../etl/window';
import { arbitraryFile } from '../../test/etl/arbitrary-sets';
import { allocation, allocationSet } from '../../test/etl/build-records';
import { goldenBytes, goldenFiles } from '../../test/etl/golden-files';

/** An undamaged ETL file, from which damaged ones are made. */
export interface CorpusFile {
  readonly name: string;
  readonly pipeline: Pipeline;
  readonly bytes: Buffer;
}

/** The golden bucket: the files of five clusters, as their agents wrote them. */
export const goldenBucket = path.join(__dirname, '../../test/golden/bucket/federated');

/** Clusters of the golden bucket. */
export const clusters: readonly string[] = readdirSync(goldenBucket).sort();

/** The windows for which the golden bucket has files, daily and hourly. */
export const windows: readonly string[] = pipelines.flatMap((pipeline) =>
  ['1d', '1h'].flatMap((resolution) => {
    const folder = `${pipeline}/${resolution}`;
    return readdirSync(path.join(goldenBucket, clusters[0]!, 'etl/bingen', folder)).map(
      (name) => `${folder}/${name}`,
    );
  }),
);

/** Reads the golden file of a cluster for a window. */
export function goldenSource(cluster: string, window: string): Buffer {
  return readFileSync(path.join(goldenBucket, cluster, 'etl/bingen', window));
}

/**
 * Returns the undamaged files: the golden files (of every codec version and every way to write a file), generated files
 * with unusual content, and larger files that gzip well.
 */
export function corpus(seed: number): CorpusFile[] {
  const golden = goldenFiles().map(({ path: name, pipeline }) => ({
    name,
    pipeline,
    bytes: goldenBytes(name),
  }));
  const madeUp = pipelines.flatMap((pipeline) =>
    [{}, { regular: true, clusters: ['cluster-2', 'cluster-4'] }].flatMap((options) =>
      fc
        .sample(arbitraryFile(pipeline, options), { numRuns: 100, seed })
        .map((bytes, index) => ({ name: `made up ${pipeline} ${index}`, pipeline, bytes })),
    ),
  );
  return [...golden, ...madeUp];
}

/** Files that are small, but need much memory or time if the program trusts them. They are used rarely. */
export function heavyFiles(): CorpusFile[] {
  const one = allocation('cluster-2/record');
  const many = Array.from({ length: 50_000 }, (_, index) => String(index));
  const repetitive = encodeSet(
    allocationSet(many.slice(0, 40_000).map((name) => ({ ...one, name: `cluster-2/${name}` }))),
  );
  const blank = allocationSet([]);
  const allocations = {
    'gzip that unpacks within the limit': gzipSync(repetitive, { level: 1 }),
    'gzip that unpacks beyond the limit': gzipSync(Buffer.concat(Array<Buffer>(3).fill(repetitive)), {
      level: 1,
    }),
    'gzip of zeros': gzipSync(Buffer.alloc(64 * 2 ** 20), { level: 1 }),
    'entries without records': encodeSet({
      ...blank,
      allocations: new Map(many.map((name) => [name, null])),
    }),
    'external keys': encodeSet({ ...blank, externalKeys: new Map(many.map((name) => [name, true])) }),
    warnings: encodeSet({ ...blank, warnings: many }),
  };
  return Object.entries(allocations).map(([name, bytes]) => ({ name, pipeline: 'allocations', bytes }));
}
