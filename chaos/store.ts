import type { Bucket } from '../storage/bucket';

/** The store of a federation under test, with the faults that it can have here. */
export interface ChaosStore {
  readonly name: 'folder' | 's3';
  /** Content of the `federated-store.yaml` that the processes use. */
  readonly config: object;
  /** Kinds of faults that can be injected here. */
  readonly faults: readonly string[];
  /** Faults that cannot be had on this machine, with the reason. */
  readonly missing: readonly string[];
  /** The same bucket, but without the faults that requests meet. */
  readonly bucket: Bucket;
  /** How precise the times of objects are, in milliseconds. */
  readonly clockMs: number;
  /** Begins a fault. Returns a function that ends it, and says what went wrong in the meantime, if anything. */
  inject(fault: string): Promise<() => Promise<string | undefined>>;
  /** Counts the times that the bucket was taken away or brought back. While it is away, this is `undefined`. */
  presence(): number | undefined;
  /** Lists temporary files of the store's driver that are left. */
  leftovers(): Promise<string[]>;
  /** Copies the bucket to a folder, if it would be lost with `close`. */
  keep(folder: string): Promise<void>;
  close(): Promise<void>;
}
