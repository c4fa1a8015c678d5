import { createHash } from 'node:crypto';
import type { WindowId } from '../etl/window';
import type { Generation } from '../federation/generation';
import { type Truth } from './truth';
import type { Violation } from './violation';

/** The parts of a generation that are checked. */
export type CheckedGeneration = Pick<
  Generation,
  'generation' | 'run' | 'federation' | 'membership' | 'windows' | 'quarantined'
>;

/** One look at the combined set: a generation, and the newest number before and after it was read. */
export interface Look {
  readonly before: number;
  readonly generation: CheckedGeneration;
  /** When the generation was written, by the store's clock. */
  readonly committed: Date;
  readonly after: number;
}

/** A file as it was found: its digest, and why it cannot be decoded, if so. */
export interface FoundFile {
  readonly digest: string;
  readonly torn?: string;
}

/** A published file. */
export interface FoundCopy extends FoundFile {
  /** When the file was written, by the store's clock. */
  readonly modified: Date;
}

/**
 * Judges what the samplers see, without reading anything itself. It remembers all generations and what the clusters
 * wrote. Each method returns the violations that it has found.
 */
export class Oracle {
  readonly #generations = new Map<number, { readonly text: string; readonly run: string }>();
  /** For each window, the digests of all generations seen so far, and when each was first committed. */
  readonly #digests = new Map<string, Map<string, number>>();
  #newest = 0;

  /**
   * @param truth what the clusters have written
   * @param clockMs how precise the times of the store are, in milliseconds
   */
  constructor(
    private readonly truth: Truth,
    private readonly clockMs: number,
  ) {}

  /** Number of the newest generation seen so far. */
  get newest(): number {
    return this.#newest;
  }

  /** Returns true if this generation has been seen. */
  knows(generation: number): boolean {
    return this.#generations.has(generation);
  }

  /** Judges a look at the newest generation: it is the one before or a later one, and each number has one content. */
  sawNewest({ before, generation, committed, after }: Look): Violation[] {
    const { generation: number } = generation;
    const found: Violation[] = [];
    if (before < this.#newest)
      found.push(
        violation('generation', `generation ${before} is the newest, but ${this.#newest} was before`),
      );
    if (number < before || number > after)
      found.push(
        violation('generation', `generation ${number} was read as the newest between ${before} and ${after}`),
      );
    this.#newest = Math.max(this.#newest, after, number);
    return [...found, ...this.sawGeneration(generation, committed)];
  }

  /** Judges any generation: it is what it was when it was last seen. */
  sawGeneration(generation: CheckedGeneration, committed: Date): Violation[] {
    const { generation: number, run } = generation;
    const text = createHash('sha256').update(JSON.stringify(generation)).digest('hex');
    const known = this.#generations.get(number);
    this.#generations.set(number, { text, run });
    for (const [window, { digest }] of Object.entries(generation.windows)) {
      const digests = this.#digests.get(window) ?? new Map<string, number>();
      const first = Math.min(digests.get(digest) ?? Infinity, committed.getTime());
      this.#digests.set(window, digests.set(digest, first));
    }
    if (known === undefined || known.text === text) return [];
    return [violation('generation', `generation ${number} of ${known.run} was replaced by that of ${run}`)];
  }

  /** Judges an object that a generation names. `found` is undefined if the object does not exist. */
  sawObject(
    { generation, windows }: CheckedGeneration,
    window: string,
    found: { readonly digest: string; readonly size: number } | undefined,
  ): Violation[] {
    const named = windows[window];
    const what = `${window} of generation ${generation} (objects/${named?.fingerprint})`;
    if (found === undefined) return [violation('object', `${what} is lost`)];
    if (found.digest === named?.digest && found.size === named.size) return [];
    return [violation('object', `${what} has other bytes than the generation says: ${found.size} bytes`)];
  }

  /**
   * Judges which clusters a window of a generation has records of: exactly its members, except those whose source is
   * refused.
   */
  sawContents(
    { generation, membership, quarantined }: CheckedGeneration,
    window: string,
    clusters: readonly string[],
  ): Violation[] {
    const what = `${window} of generation ${generation}`;
    const foreign = clusters.filter((cluster) => !membership.clusters.some((member) => member === cluster));
    const missing = membership.clusters.filter(
      (cluster) =>
        !clusters.includes(cluster) &&
        this.truth.windowsOf(cluster).includes(window as WindowId) &&
        !quarantined.some((source) => source.cluster === cluster && source.window === window),
    );
    return [
      ...foreign.map((cluster) =>
        violation(
          'generation',
          `${what} is a mixture: it has ${cluster}, which the generation does not include`,
        ),
      ),
      ...missing.map((cluster) =>
        violation('generation', `${what} is a mixture: it lacks ${cluster}, which the generation includes`),
      ),
    ];
  }

  /** Judges a published file. All generations that exist must have been seen. */
  sawPublished(window: string, file: FoundCopy): Violation[] {
    const what = `the published ${window}, seen at generation ${this.#newest},`;
    if (file.torn !== undefined) return [violation('published', `${what} is torn: ${file.torn}`)];
    const committed = this.#digests.get(window)?.get(file.digest);
    if (committed === undefined)
      return [violation('published', `${what} is of no committed generation (${file.digest.slice(0, 12)})`)];
    const early = committed - file.modified.getTime();
    if (early < this.clockMs) return [];
    return [violation('published', `${what} was published ${early} ms before its generation was committed`)];
  }

  /** Judges a file in a cluster's folder of the store. */
  sawSource(cluster: string, window: string, file: FoundFile): Violation[] {
    const what = `${window} in the folder of ${cluster}, seen at generation ${this.#newest},`;
    if (file.torn !== undefined) return [violation('source', `${what} is torn: ${file.torn}`)];
    if (this.truth.hasWritten(cluster, window, file.digest)) return [];
    return [violation('source', `${what} was never written by ${cluster} (${file.digest.slice(0, 12)})`)];
  }

  /** Judges a file in the local ETL of the primary. All generations that exist must have been seen. */
  sawPrimary(cluster: string, window: string, file: FoundFile): Violation[] {
    const what = `the primary's ${window}, seen at generation ${this.#newest},`;
    if (file.torn !== undefined) return [violation('primary', `${what} is torn: ${file.torn}`)];
    if (this.truth.hasWritten(cluster, window, file.digest)) return [];
    if (this.#digests.get(window)?.has(file.digest) === true) return [];
    return [
      violation(
        'primary',
        `${what} is neither its own nor of a committed generation (${file.digest.slice(0, 12)})`,
      ),
    ];
  }
}

function violation(check: Violation['check'], what: string): Violation {
  return { check, what };
}
