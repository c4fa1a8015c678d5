/** What a store says of one state of an object. Opaque: it is compared, never parsed. */
export type Version = string & { readonly __brand: 'Version' };

export interface ObjectInfo {
  readonly key: string;
  /** In bytes. */
  readonly size: number;
  /** By the store's clock. */
  readonly modified: Date;
  readonly version: Version;
}

/** With what a listing does not carry. */
export interface ObjectHead extends ObjectInfo {
  /** Names in lower case, values in ASCII. */
  readonly metadata: Readonly<Record<string, string>>;
}

export type ListEntry =
  ({ readonly kind: 'object' } & ObjectInfo) | { readonly kind: 'prefix'; readonly prefix: string };

export interface CallOptions {
  /** Aborting it ends the call, which then throws the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface GetOptions extends CallOptions {
  /** `offset` from the start; without `length`, to the end. A range over the end is cut; one that starts behind it is STORAGE_INVALID_RANGE. */
  readonly range?: { readonly offset: number; readonly length?: number };
  /** Only this state of the object: STORAGE_CONFLICT when it is another by now. */
  readonly version?: Version;
}

export interface ListOptions extends CallOptions {
  /** With it, what lies deeper shows once as a prefix. */
  readonly delimiter?: '/';
  /** Only entries whose key, or prefix, is behind this one. */
  readonly after?: string;
  /** Told before each page that is asked of the store: one request, as stores charge them. */
  readonly onPage?: () => void;
}

export interface PutOptions extends CallOptions {
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface ObjectBody {
  readonly head: ObjectInfo;
  /** To be read to its end, or returned: an unread one holds a connection. Its total length is checked. */
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * The read side of a bucket. Stores are read-after-write and list-after-write consistent: all that are supported are.
 * Keys are validated before any request (STORAGE_INVALID_KEY). Every error is a FederationError with a STORAGE_ code.
 */
export interface BucketReader {
  readonly type: 'S3' | 'GCS' | 'AZURE' | 'FILESYSTEM';
  /** Names the bucket and the prefix for logs; never a secret. The same bucket has the same label everywhere. */
  readonly label: string;
  /**
   * Objects whose key starts with the prefix (a string, not a folder: say `federated/c1/`), in the order of their UTF-8
   * bytes. Nothing there: nothing is yielded. Keys that `checkKey` refuses and `/`-ended folder markers are passed over.
   */
  list(prefix: string, options?: ListOptions): AsyncIterable<ListEntry>;
  /** Absence is a value. */
  head(key: string, options?: CallOptions): Promise<ObjectHead | undefined>;
  /** Throws STORAGE_NOT_FOUND when there is no such object. */
  get(key: string, options?: GetOptions): Promise<ObjectBody>;
  close(): Promise<void>;
}

/** A bucket that can be written. A failed write leaves what was there before; no partial object is ever visible. */
export interface Bucket extends BucketReader {
  /** Creates or replaces. A body that throws leaves nothing. */
  put(key: string, body: Uint8Array | AsyncIterable<Uint8Array>, options?: PutOptions): Promise<ObjectInfo>;
  /** Creates only if nothing is there, else throws STORAGE_PRECONDITION_FAILED. Of many at once exactly one succeeds. */
  create(
    key: string,
    body: Uint8Array | AsyncIterable<Uint8Array>,
    options?: PutOptions,
  ): Promise<ObjectInfo>;
  /** On the server's side, metadata included. Throws STORAGE_NOT_FOUND when the source is missing. */
  copy(from: string, to: string, options?: CallOptions): Promise<ObjectInfo>;
  /** Deleting what is not there is fine. */
  delete(key: string, options?: CallOptions): Promise<void>;
}
