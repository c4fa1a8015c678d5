import type { Bucket } from '../storage/bucket';

/** The store of a federation under test, and the faults that can be injected into it. */
export interface ChaosStore {
  readonly name: 'folder' | 's3';
  /** Content of the `federated-store.yaml` that the processes use. */
  readonly config: object;
  /** Kinds of faults that can be injected here. */
  readonly faults: readonly string[];
  /** Faults that cannot be injected on this machine, with the reason. */
  readonly missing: readonly string[];
  /** The bucket of the processes, but accessed directly: not through the proxy that makes their requests fail. */
  readonly bucket: Bucket;
  /** How precise the times of objects are, in milliseconds. */
  readonly clockMs: number;
  /** Begins a fault. Returns a function that ends it, and says what went wrong in the meantime, if anything. */
  inject(fault: string): Promise<() => Promise<string | undefined>>;
  /** Number of times that the bucket was brought back after it had been away; undefined while it is away. */
  presence(): number | undefined;
  /** Lists temporary files of the store's driver that are left. */
  leftovers(): Promise<string[]>;
  /** Copies the bucket to a folder, if it would be lost with `close`. */
  keep(folder: string): Promise<void>;
  close(): Promise<void>;
}
