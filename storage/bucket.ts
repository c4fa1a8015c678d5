/** A store's identifier for one state of an object. Opaque: compared, never parsed. */
export type Version = string & { readonly __brand: 'Version' };

export interface ObjectInfo {
  readonly key: string;
  /** In bytes. */
  readonly size: number;
  /** Last modification, by the store's clock. */
  readonly modified: Date;
  readonly version: Version;
}

/** An object entry plus the metadata, which listings lack. */
export interface ObjectHead extends ObjectInfo {
  /** Lower-case names, ASCII values. */
  readonly metadata: Readonly<Record<string, string>>;
}

export type ListEntry =
  ({ readonly kind: 'object' } & ObjectInfo) | { readonly kind: 'prefix'; readonly prefix: string };

export interface CallOptions {
  /** Aborting ends the call, which then throws the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface GetOptions extends CallOptions {
  /**
   * `offset` counts from the start; without `length` the range goes to the end. A range beyond the end is cut off; one that
   * starts beyond it throws STORAGE_INVALID_RANGE.
   */
  readonly range?: { readonly offset: number; readonly length?: number };
  /** Reads only this version; throws STORAGE_CONFLICT if the object has changed. */
  readonly version?: Version;
}

export interface ListOptions extends CallOptions {
  /** Groups keys that contain it after the prefix into one prefix entry. */
  readonly delimiter?: '/';
  /** Only entries whose key or prefix sorts after this one. */
  readonly after?: string;
  /** Called before each page requested from the store: one billed request each. */
  readonly onPage?: () => void;
}

export interface PutOptions extends CallOptions {
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface ObjectBody {
  readonly head: ObjectInfo;
  /** Must be read to the end or returned: an unread body holds a connection. Its total length is verified. */
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * The read side of a bucket. All supported stores are read-after-write and list-after-write consistent. Keys are validated
 * before any request (STORAGE_INVALID_KEY). Every error is a FederationError with a STORAGE_ code.
 */
export interface BucketReader {
  readonly type: 'S3' | 'GCS' | 'AZURE' | 'FILESYSTEM';
  /** Name of bucket and prefix for logs, without secrets; identical for the same bucket everywhere. */
  readonly label: string;
  /**
   * Objects whose key starts with the prefix (a string, not a folder: such as `federated/c1/`), in UTF-8 byte order.
   * Yields nothing if there are none. Skips keys that `checkKey` rejects, and folder markers that end in `/`.
   */
  list(prefix: string, options?: ListOptions): AsyncIterable<ListEntry>;
  /** Undefined if there is no such object. */
  head(key: string, options?: CallOptions): Promise<ObjectHead | undefined>;
  /** Throws STORAGE_NOT_FOUND if there is no such object. */
  get(key: string, options?: GetOptions): Promise<ObjectBody>;
  close(): Promise<void>;
}

/** A writable bucket. A failed write leaves the previous object; a partial object is never visible. */
export interface Bucket extends BucketReader {
  /** Creates or replaces an object. A body that throws leaves nothing. */
  put(key: string, body: Uint8Array | AsyncIterable<Uint8Array>, options?: PutOptions): Promise<ObjectInfo>;
  /** Creates an object; throws STORAGE_PRECONDITION_FAILED if it exists. Of concurrent calls exactly one succeeds. */
  create(
    key: string,
    body: Uint8Array | AsyncIterable<Uint8Array>,
    options?: PutOptions,
  ): Promise<ObjectInfo>;
  /** Copies on the server, metadata included. Throws STORAGE_NOT_FOUND if the source is missing. */
  copy(from: string, to: string, options?: CallOptions): Promise<ObjectInfo>;
  /** Deletes an object; does nothing if it does not exist. */
  delete(key: string, options?: CallOptions): Promise<void>;
}
