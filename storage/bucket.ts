/** A store's identifier for one state of an object. It is opaque: compare it, never parse it. */
export type Version = string & { readonly __brand: 'Version' };

export interface ObjectInfo {
  readonly key: string;
  /** Number of bytes. */
  readonly size: number;
  /** Time of the last modification, by the store's clock. */
  readonly modified: Date;
  readonly version: Version;
}

/** What a listing says about an object, plus the object's metadata, which a listing does not contain. */
export interface ObjectHead extends ObjectInfo {
  /** Names are lower-case, values are ASCII. */
  readonly metadata: Readonly<Record<string, string>>;
}

export type ListEntry =
  ({ readonly kind: 'object' } & ObjectInfo) | { readonly kind: 'prefix'; readonly prefix: string };

export interface CallOptions {
  /** Aborting this signal ends the call, which then throws the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface GetOptions extends CallOptions {
  /**
   * The part of the object to read. `offset` counts from the start of the object. Without `length`, the range goes to
   * the end. A range that goes beyond the end is cut off; one that starts beyond it throws STORAGE_INVALID_RANGE.
   */
  readonly range?: { readonly offset: number; readonly length?: number };
  /** Reads only this version. If the object has changed, the call throws STORAGE_CONFLICT. */
  readonly version?: Version;
}

export interface ListOptions extends CallOptions {
  /**
   * Keys that contain the delimiter after the prefix are listed as one prefix entry per folder, instead of one by one.
   */
  readonly delimiter?: '/';
  /** Lists only entries whose key or prefix sorts after this text. */
  readonly after?: string;
  /** Called before each page is requested from the store. Each page is one billed request. */
  readonly onPage?: () => void;
}

export interface PutOptions extends CallOptions {
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface ObjectBody {
  readonly head: ObjectInfo;
  /**
   * The bytes. Read them to the end or call the iterator's `return`, because an unread body holds a connection. Reading
   * throws if the total length is wrong.
   */
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * The read methods of a bucket. All supported stores are read-after-write and list-after-write consistent. Keys are
 * checked before any request (STORAGE_INVALID_KEY). Every error is a FederationError with a STORAGE_ code.
 */
export interface BucketReader {
  readonly type: 'S3' | 'GCS' | 'AZURE' | 'FILESYSTEM';
  /**
   * Name of the bucket and the prefix, for logs; contains no secrets. Wherever a bucket is opened, its label is the
   * same.
   */
  readonly label: string;
  /**
   * Lists the objects whose key starts with the prefix, in UTF-8 byte order. The prefix is a string such as
   * `federated/c1/`, not a folder. Yields nothing if there are no objects. Skips keys that `checkKey` rejects, and
   * folder markers, which end in `/`.
   */
  list(prefix: string, options?: ListOptions): AsyncIterable<ListEntry>;
  /** Returns undefined if there is no such object. */
  head(key: string, options?: CallOptions): Promise<ObjectHead | undefined>;
  /** Throws STORAGE_NOT_FOUND if there is no such object. */
  get(key: string, options?: GetOptions): Promise<ObjectBody>;
  close(): Promise<void>;
}

/**
 * A bucket that can also be written to. A failed write leaves the previous object in place. A partial object is never
 * visible.
 */
export interface Bucket extends BucketReader {
  /** Creates or replaces an object. If the body throws, nothing is stored. */
  put(key: string, body: Uint8Array | AsyncIterable<Uint8Array>, options?: PutOptions): Promise<ObjectInfo>;
  /**
   * Creates an object. Throws STORAGE_PRECONDITION_FAILED if it exists. If several calls run at once, exactly one
   * succeeds.
   */
  create(
    key: string,
    body: Uint8Array | AsyncIterable<Uint8Array>,
    options?: PutOptions,
  ): Promise<ObjectInfo>;
  /** Copies an object and its metadata inside the store. Throws STORAGE_NOT_FOUND if the source is missing. */
  copy(from: string, to: string, options?: CallOptions): Promise<ObjectInfo>;
  /** Deletes an object; does nothing if it does not exist. */
  delete(key: string, options?: CallOptions): Promise<void>;
}
