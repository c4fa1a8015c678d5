/**
 * Identifies one version of an object, for example by its ETag. The format depends on the store, so only compare
 * versions for equality.
 */
export type Version = string & { readonly __brand: 'Version' };

export interface ObjectInfo {
  readonly key: string;
  /** Size of the object, in bytes. */
  readonly size: number;
  /** Time of the last modification, according to the store's clock. */
  readonly modified: Date;
  readonly version: Version;
}

/** An object's entry in a listing, plus its metadata. Listings do not return metadata. */
export interface ObjectHead extends ObjectInfo {
  /** The object's metadata, by name. Names are lower-case; values are ASCII. */
  readonly metadata: Readonly<Record<string, string>>;
}

export type ListEntry =
  ({ readonly kind: 'object' } & ObjectInfo) | { readonly kind: 'prefix'; readonly prefix: string };

export interface CallOptions {
  /** If this signal is aborted, the call stops and throws the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface GetOptions extends CallOptions {
  /**
   * The byte range to read. `offset` counts from the start of the object. Without `length`, the range extends to the
   * end of the object. A range that extends past the end is cut off there. A range that starts at or past the end
   * throws STORAGE_INVALID_RANGE.
   */
  readonly range?: { readonly offset: number; readonly length?: number };
  /** The version to read. If the object has a different version, the call throws STORAGE_CONFLICT. */
  readonly version?: Version;
}

export interface ListOptions extends CallOptions {
  /**
   * With a delimiter, the listing does not descend into folders: it returns all keys in a folder as one entry of kind
   * `prefix`.
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
  readonly head: ObjectHead;
  /**
   * Content of the object. Read it to the end or call the iterator's `return`; otherwise a connection or a file stays
   * open. Reading throws if the number of bytes received is not the number that the store announced.
   */
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * A bucket that can only be read. All supported stores are strongly consistent: reads and listings show every write
 * that has finished. An invalid key throws STORAGE_INVALID_KEY before any request is sent. Every error of the store is
 * a FederationError with a STORAGE_ code.
 */
export interface BucketReader {
  readonly type: 'S3' | 'GCS' | 'AZURE' | 'FILESYSTEM';
  /**
   * Name of the bucket and its prefix, for logs and error messages. It contains no secrets. It is derived from the
   * settings, so the same settings always give the same label.
   */
  readonly label: string;
  /**
   * Lists the objects whose key starts with the prefix, in UTF-8 byte order. The prefix is plain text, not a folder:
   * `federated/c1` also matches `federated/c10`. Yields nothing if no object matches. Skips keys that `checkKey`
   * rejects, and folder markers, whose keys end in `/`.
   */
  list(prefix: string, options?: ListOptions): AsyncIterable<ListEntry>;
  /** Returns the size, version and metadata of an object, or undefined if the object does not exist. */
  head(key: string, options?: CallOptions): Promise<ObjectHead | undefined>;
  /** Opens an object for reading. Throws STORAGE_NOT_FOUND if the object does not exist. */
  get(key: string, options?: GetOptions): Promise<ObjectBody>;
  close(): Promise<void>;
}

/**
 * A bucket that can be read and written. Writes are atomic: no reader ever sees a partial object, and a failed write
 * leaves the previous object unchanged.
 */
export interface Bucket extends BucketReader {
  /** Creates or replaces an object. If the body throws, nothing is stored. */
  put(key: string, body: Uint8Array | AsyncIterable<Uint8Array>, options?: PutOptions): Promise<ObjectInfo>;
  /**
   * Creates an object. Throws STORAGE_PRECONDITION_FAILED if it already exists. If several calls for the same key run
   * at once, exactly one succeeds.
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
