import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Json } from '../../etl/dump';
import { decodeSet } from '../../etl/file';
import type { MergeInput } from '../../etl/merge';
import type { SetOf } from '../../etl/model';
import { type Pipeline, pipelines } from '../../etl/window';

const root = join(__dirname, '..', 'golden');

/** Reads a golden file. `path` is relative to `test/golden`. */
export function goldenBytes(path: string): Buffer {
  return readFileSync(join(root, path));
}

export function goldenJson(path: string): Json {
  return JSON.parse(goldenBytes(path).toString('utf8')) as Json;
}

/** Entry of `edge/manifest.json`: a corner-case file, and whether decoding it must succeed (`ok`) or fail (`error`). */
export interface EdgeFile {
  file: string;
  kind: Pipeline;
  expect: 'ok' | 'error';
  dump?: string;
  note: string;
}

export function edgeFiles(expect: EdgeFile['expect']): EdgeFile[] {
  const all = JSON.parse(goldenBytes('edge/manifest.json').toString('utf8')) as EdgeFile[];
  return all.filter((entry) => entry.expect === expect);
}

/** A golden file that can be decoded. */
export interface GoldenFile {
  path: string;
  pipeline: Pipeline;
  dump?: string;
  /** Whether the JSON dump of the file contains the codec versions of records. */
  versions: boolean;
}

/**
 * Lists all golden files that can be decoded: the window files of all buckets (including merged ones), corner cases,
 * and files of every codec version.
 */
export function goldenFiles(): GoldenFile[] {
  const corners = edgeFiles('ok').map(({ file, kind, dump }): GoldenFile => ({
    path: `edge/${file}`,
    pipeline: kind,
    dump: `edge/${dump}`,
    versions: true,
  }));
  const versions = readdirSync(join(root, 'edge/versions'))
    .filter((name) => !name.endsWith('.json'))
    .map((name): GoldenFile => {
      const pipeline = name.startsWith('assets') ? 'assets' : 'allocations';
      return { path: `edge/versions/${name}`, pipeline, dump: `edge/versions/${name}.json`, versions: true };
    });
  return [...corners, ...versions, ...buckets.flatMap(bucketFiles)];
}

interface Bucket {
  /** Folder of the bucket. The window files of a cluster are in its subfolder `federated/<cluster>`. */
  folder: string;
  /** Folder that contains the JSON dumps of the window files. */
  dumps: string;
}

const buckets: Bucket[] = [
  { folder: 'bucket', dumps: 'bucket-dump' },
  { folder: 'expected', dumps: 'expected/dump' },
  ...['mixed-fleet', 'collisions', 'collisions-more'].flatMap((name) => [
    { folder: `edge/${name}`, dumps: `edge/${name}/dump` },
    { folder: `edge/${name}/expected`, dumps: `edge/${name}/expected/dump` },
  ]),
];

function bucketFiles({ folder, dumps }: Bucket): GoldenFile[] {
  return list(`${folder}/federated`).flatMap((cluster) =>
    windowsOf(`${folder}/federated/${cluster}`).map(({ pipeline, resolution, window, path }) => {
      const dump = `${dumps}/${cluster}.${pipeline}.${resolution}.${window}.json`;
      return { path, pipeline, versions: false, ...(existsSync(join(root, dump)) && { dump }) };
    }),
  );
}

interface WindowFile {
  pipeline: Pipeline;
  resolution: string;
  window: string;
  path: string;
}

function windowsOf(cluster: string): WindowFile[] {
  return pipelines.flatMap((pipeline) =>
    ['1d', '1h'].flatMap((resolution) => {
      const folder = `${cluster}/etl/bingen/${pipeline}/${resolution}`;
      return list(folder).map((window) => ({ pipeline, resolution, window, path: `${folder}/${window}` }));
    }),
  );
}

function list(folder: string): string[] {
  return existsSync(join(root, folder)) ? readdirSync(join(root, folder)).sort() : [];
}

/**
 * A window that OpenCost merged: the sets of the clusters in the order in which OpenCost added them, and the merged
 * set.
 */
export interface GoldenMerge<P extends Pipeline = Pipeline> {
  name: string;
  pipeline: P;
  inputs: MergeInput<SetOf[P]>[];
  expected: SetOf[P];
}

/** Lists the golden windows of a pipeline: the files that OpenCost merged, and the merged results. */
export function goldenMerges<P extends Pipeline>(pipeline: P): GoldenMerge<P>[] {
  const cases = [
    ['bucket', 'expected'],
    ...['mixed-fleet', 'collisions', 'collisions-more'].map((name) => [
      `edge/${name}`,
      `edge/${name}/expected`,
    ]),
  ];
  return cases.flatMap(([from = '', to = '']) =>
    windowsOf(`${to}/federated/combined`)
      .filter((file) => file.pipeline === pipeline)
      .map(({ resolution, window, path }) => ({
        name: `${from} ${pipeline} ${resolution} ${window}`,
        pipeline,
        inputs: list(`${from}/federated`).map((id) => {
          const source = `${from}/federated/${id}/etl/bingen/${pipeline}/${resolution}/${window}`;
          return { id, set: decodeSet(pipeline, goldenBytes(source)) };
        }),
        expected: decodeSet(pipeline, goldenBytes(path)),
      })),
  );
}
