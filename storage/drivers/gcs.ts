import type { IncomingMessage } from 'node:http';
import { FederationError } from '../../errors/federation-error';
import { untilAborted, watchBody, type WatchedBody } from '../body';
import type {
  Bucket,
  CallOptions,
  GetOptions,
  ListEntry,
  ListOptions,
  ObjectBody,
  ObjectHead,
  ObjectInfo,
  PutOptions,
} from '../bucket';
import { checkKey, checkPrefix } from '../check-key';
import { checkMetadata } from '../check-metadata';
import { driverCall } from '../driver-call';
import { checkRange, rangeHeader } from '../range';
import { receivedBody, type ReceivedChecksum } from '../received-body';
import { changed, storageError } from '../store-failure';
import { type GcsMedia, type GcsObject, infoOf, mediaOf, objectFields, objectOf } from './gcs-answers';
import { connect, type GcsClient, type GcsOptions } from './gcs-client';
import type { GcsConfig } from './gcs-config';
import { copyObject } from './gcs-copy';
import { Crc32c } from './gcs-crc32c';
import { statusOf, toStorageError } from './gcs-errors';
import { listPages } from './gcs-list';
import { type GcsTarget, uploadStream, uploadWhole } from './gcs-upload';

/** Opens a bucket of Google Cloud Storage. Sends no request yet. */
export async function openGcs(config: GcsConfig, options: GcsOptions = {}): Promise<Bucket> {
  return new GcsBucket(config, await connect(config, options));
}

class GcsBucket implements Bucket {
  readonly type = 'GCS';
  readonly label: string;
  readonly #config: GcsConfig;
  readonly #client: GcsClient;
  /** URL path of the bucket's objects in the JSON API. */
  readonly #path: string;

  constructor(config: GcsConfig, client: GcsClient) {
    this.label = `gs://${config.bucket}`;
    this.#config = config;
    this.#client = client;
    this.#path = `/storage/v1/b/${config.bucket}/o`;
  }

  close(): Promise<void> {
    this.#client.close();
    return Promise.resolve();
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncGenerator<ListEntry> {
    checkPrefix(prefix);
    options.signal?.throwIfAborted();
    try {
      yield* listPages(this.#client, { path: this.#path, prefix }, options);
    } catch (error) {
      const seen = statusOf(error) === 404 ? this.#noBucket() : error;
      throw this.#failure(seen, 'list', prefix, options.signal);
    }
  }

  async head(key: string, options: CallOptions = {}): Promise<ObjectHead | undefined> {
    return this.#call(key, 'look', options, () => this.#look(key, options.signal));
  }

  async #look(key: string, signal: AbortSignal | undefined): Promise<ObjectHead | undefined> {
    try {
      const query = { fields: objectFields };
      return objectOf(await this.#client.json({ method: 'GET', path: this.#at(key), query, signal })).head;
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
  }

  async get(key: string, options: GetOptions = {}): Promise<ObjectBody> {
    checkRange(key, options.range);
    return this.#call(key, 'read', options, async () => {
      const { signal, range, version } = options;
      const answer = await this.#client
        .send({
          method: 'GET',
          path: this.#at(key),
          query: { alt: 'media', generation: version },
          // Without this `accept-encoding` header, the store would decompress objects that other programs have stored
          // with gzip.
          headers: {
            'accept-encoding': 'gzip',
            'cache-control': 'no-store',
            ...(range !== undefined && { range: rangeHeader(range) }),
          },
          signal,
        })
        .catch(async (error: unknown) => {
          throw statusOf(error) === 404 ? await this.#missing(key, version, signal) : error;
        });
      try {
        const media = mediaOf(key, answer, range);
        const modified = media.modified ?? (await this.#modified(key, media, signal));
        const { size, version, metadata } = media;
        const head = { key, size, modified, version, metadata };
        return { head, body: this.#body(key, answer, media, options) };
      } catch (error) {
        answer.destroy();
        throw error;
      }
    });
  }

  /** Requests the modification time of an object whose download had no `Last-Modified` header. */
  async #modified(key: string, media: GcsMedia, signal: AbortSignal | undefined): Promise<Date> {
    const now = await this.#look(key, signal);
    if (now?.version !== media.version) throw changed(key);
    return now.modified;
  }

  #body(
    key: string,
    answer: IncomingMessage,
    { length, crc32c }: GcsMedia,
    options: GetOptions,
  ): AsyncIterable<Uint8Array> {
    return receivedBody(answer, {
      key,
      length,
      failure: (error) => this.#failure(error, 'read', key, options.signal),
      checksum: crc32c === undefined ? undefined : crc32cChecksum(crc32c),
    });
  }

  async put(
    key: string,
    body: Uint8Array | AsyncIterable<Uint8Array>,
    options: PutOptions = {},
  ): Promise<ObjectInfo> {
    return this.#write(key, body, options, false);
  }

  async create(
    key: string,
    body: Uint8Array | AsyncIterable<Uint8Array>,
    options: PutOptions = {},
  ): Promise<ObjectInfo> {
    return this.#write(key, body, options, true);
  }

  async #write(
    key: string,
    body: Uint8Array | AsyncIterable<Uint8Array>,
    options: PutOptions,
    ifAbsent: boolean,
  ): Promise<ObjectInfo> {
    checkMetadata(key, options.metadata);
    const { signal } = options;
    const target: GcsTarget = { path: this.#path, key, metadata: options.metadata ?? {}, ifAbsent };
    const written = async (sending: Promise<GcsObject>) => {
      const { head } = await sending.catch((error: unknown) => {
        throw statusOf(error) === 404 ? this.#noBucket() : error;
      });
      return infoOf(head);
    };
    if (body instanceof Uint8Array) {
      return this.#call(key, 'write', options, () =>
        written(uploadWhole(this.#client, target, [body], signal)),
      );
    }
    const watched = watchBody(body, signal);
    const sending = { chunkSize: this.#config.chunk_size_bytes, signal };
    return this.#call(
      key,
      'write',
      options,
      () => written(uploadStream(this.#client, target, watched, sending)),
      watched,
    );
  }

  async copy(from: string, to: string, options: CallOptions = {}): Promise<ObjectInfo> {
    checkKey(to);
    return this.#call(from, 'copy', options, async () => {
      const { signal } = options;
      const source = await this.#look(from, signal);
      if (source === undefined) throw await this.#missing(from, undefined, signal);
      // Copying an object to its own key changes nothing.
      if (from === to) return infoOf(source);
      const path = `${this.#at(from)}/rewriteTo/b/${this.#config.bucket}/o/${encodeURIComponent(to)}`;
      return infoOf((await copyObject(this.#client, { path, source }, signal)).head);
    });
  }

  async delete(key: string, options: CallOptions = {}): Promise<void> {
    return this.#call(key, 'delete', options, async () => {
      const request = {
        method: 'DELETE',
        path: this.#at(key),
        signal: options.signal,
        alsoFine: 404,
      } as const;
      (await this.#client.send(request)).resume();
    });
  }

  #at(key: string): string {
    return `${this.#path}/${encodeURIComponent(key)}`;
  }

  /**
   * Returns the error for a response with status 404. Finds out whether the requested version, the object or the whole
   * bucket is missing.
   */
  async #missing(
    key: string,
    version: GetOptions['version'],
    signal: AbortSignal | undefined,
  ): Promise<Error> {
    if (version !== undefined && (await this.#look(key, signal)) !== undefined) return changed(key);
    // Check whether the bucket exists by listing one object. A request for the bucket itself needs a permission that
    // readers may not have.
    const query = { maxResults: '1', fields: 'kind' };
    const probe = this.#client.json({ method: 'GET', path: this.#path, query, signal });
    const status = await probe.then(() => 200, statusOf);
    return status === 404
      ? this.#noBucket()
      : storageError('STORAGE_NOT_FOUND', key, `There is no object of this key in ${this.label}.`);
  }

  #noBucket(): FederationError {
    return new FederationError('STORAGE_BUCKET_NOT_FOUND', { detail: `There is no ${this.label}.` });
  }

  #call<T>(
    key: string,
    verb: string,
    options: CallOptions,
    run: () => Promise<T>,
    body?: WatchedBody,
  ): Promise<T> {
    return driverCall({
      key,
      signal: options.signal,
      run: () => untilAborted(run(), options.signal),
      body,
      failure: (error) => this.#failure(error, verb, key, options.signal),
    });
  }

  #failure(error: unknown, verb: string, key: string, signal: AbortSignal | undefined): unknown {
    if (signal?.aborted === true) return signal.reason;
    const { label } = this;
    return toStorageError(error, { label, verb, key });
  }
}

function crc32cChecksum(expected: string): ReceivedChecksum {
  const sum = new Crc32c();
  return {
    name: `CRC32C ${expected}`,
    add: (bytes) => sum.update(bytes),
    matches: () => sum.toString() === expected,
  };
}
