import { z } from 'zod';
import { type ClusterId } from '../etl/cluster-id';
import { parseResolution, parseWindowId } from '../etl/window';
import { byBytes } from './byte-order';
import type { ListedFile } from './candidates';
import { clusterIdSchema } from './ids';

/** Codes of the notices about clusters' folders. The error catalogue explains them. */
export const noticeCodes = [
  'WINDOW_IN_FUTURE',
  'WINDOW_MISALIGNED',
  'WINDOW_LENGTH_WRONG',
  'FOLDER_TWO_WRITERS',
] as const;

/**
 * Something unusual about a cluster's folder that does not prevent its files from being merged. There is one notice per
 * cluster and code, no matter how many files it is about.
 */
export const noticeSchema = z.object({
  cluster: clusterIdSchema,
  code: z.enum(noticeCodes),
  /** Number of files. */
  count: z.number().int().positive(),
  /** Path of one of the files, below the cluster's `etl/bingen/`. */
  example: z.string(),
});
export type Notice = z.infer<typeof noticeSchema>;

/** Tolerated difference between the clocks of a cluster and of the federator, in seconds. */
const clockDifference = 3_600;

/** Collects notices about the files in a listing. The order in which files are added makes no difference. */
export class Notices {
  readonly #found = new Map<string, Notice>();

  /** @param now the time of the plan, in unix seconds */
  constructor(private readonly now: number) {}

  /** Adds a notice if the window of a file is in the future or misaligned. */
  add({ cluster, window, path }: Pick<ListedFile, 'cluster' | 'window' | 'path'>): void {
    const ref = parseWindowId(window);
    const seconds = parseResolution(ref?.resolution ?? '')?.seconds;
    if (ref === undefined || seconds === undefined) return;
    if (ref.window.start > this.now + clockDifference) this.note(cluster, 'WINDOW_IN_FUTURE', path);
    if (ref.window.start % seconds !== 0) this.note(cluster, 'WINDOW_MISALIGNED', path);
  }

  /** Adds a file that is named like a window, but whose window is shorter or longer than its folder's resolution. */
  addWrongLength(cluster: ClusterId, path: string): void {
    this.note(cluster, 'WINDOW_LENGTH_WRONG', path);
  }

  /** Adds a notice about a folder to which two writers push. `path` is the file that revealed the two writers. */
  addTwoWriters(cluster: ClusterId, path: string): void {
    this.note(cluster, 'FOLDER_TWO_WRITERS', path);
  }

  /** Returns the notices of the included clusters, in byte order of the cluster ids. */
  list(clusters: readonly ClusterId[]): Notice[] {
    const included = new Set(clusters);
    return [...this.#found.values()].filter(({ cluster }) => included.has(cluster)).sort(inOrder);
  }

  private note(cluster: ClusterId, code: Notice['code'], path: string): void {
    const key = JSON.stringify([cluster, code]);
    const { count = 0, example = path } = this.#found.get(key) ?? {};
    const first = byBytes(path, example) < 0 ? path : example;
    this.#found.set(key, { cluster, code, count: count + 1, example: first });
  }
}

/**
 * Adds the last generation's notices to those of a listing that skipped older windows, because the skipped files cannot
 * be checked.
 */
export function withEarlier(found: readonly Notice[], earlier: readonly Notice[]): Notice[] {
  const key = ({ cluster, code }: Notice) => JSON.stringify([cluster, code]);
  const all = new Map([...found, ...earlier].map((notice) => [key(notice), notice]));
  return [...all.values()].sort(inOrder);
}

function inOrder(a: Notice, b: Notice): number {
  return byBytes(a.cluster, b.cluster) || byBytes(a.code, b.code);
}
