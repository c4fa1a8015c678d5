import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type {
  BlobDownloadResponseParsed,
  BlobRequestConditions,
  BlockBlobClient,
} from '@azure/storage-blob' with { 'resolution-mode': 'import' };
import { discard, untilAborted, watchBody, type WatchedBody } from '../body';
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
import { checkRange, sizeByRange } from '../range';
import { receivedBody, type ReceivedChecksum } from '../received-body';
import { changed, missing, storageError } from '../store-failure';
import { fromAzureMetadata, ifMatch, infoOf, toAzureMetadata } from './azure-answers';
import { type AzureConnection, connect } from './azure-client';
import type { AzureConfig } from './azure-config';
import { copyBlob, maxCopyBytes } from './azure-copy';
import { statusOf, toStorageError } from './azure-errors';
import { listPages } from './azure-list';
import { type AzureTarget, uploadStream, uploadWhole } from './azure-upload';

export interface AzureOptions {
  /**
   * An object that is larger than this number of bytes is copied in blocks of this size. (Default: 256 MiB, the most
   * that Azure copies in one request)
   */
  readonly copyBlockSize?: number;
}

/** Opens a container of Azure Blob Storage as a bucket. Sends no request yet. */
export async function openAzure(config: AzureConfig, options: AzureOptions = {}): Promise<Bucket> {
  return new AzureBucket(config, await connect(config), options);
}

class AzureBucket implements Bucket {
  readonly type = 'AZURE';
  readonly label: string;
  readonly #config: AzureConfig;
  readonly #store: AzureConnection;
  readonly #options: AzureOptions;
  #container: Promise<unknown> | undefined;

  constructor(config: AzureConfig, store: AzureConnection, options: AzureOptions) {
    this.label = `azure://${store.account}/${config.container}`;
    this.#config = config;
    this.#store = store;
    this.#options = options;
  }

  close(): Promise<void> {
    this.#store.close();
    return Promise.resolve();
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncGenerator<ListEntry> {
    checkPrefix(prefix);
    options.signal?.throwIfAborted();
    try {
      await this.#createContainer(options.signal);
      yield* listPages(this.#store.container, prefix, options);
    } catch (error) {
      throw this.#failure(error, 'list', prefix, options.signal);
    }
  }

  async head(key: string, options: CallOptions = {}): Promise<ObjectHead | undefined> {
    return this.#call(key, 'look', options, async (abortSignal) => {
      try {
        const answer = await this.#blob(key).getProperties({ abortSignal });
        return { ...infoOf(key, answer), metadata: fromAzureMetadata(answer.metadata) };
      } catch (error) {
        if (statusOf(error) === 404) return undefined;
        throw error;
      }
    });
  }

  async get(key: string, options: GetOptions = {}): Promise<ObjectBody> {
    checkRange(key, options.range);
    return this.#call(key, 'read', options, async (abortSignal) => {
      const { range, version } = options;
      const answer = await this.#blob(key)
        .download(range?.offset ?? 0, range?.length, {
          abortSignal,
          maxRetryRequests: 0,
          ...(version !== undefined && { conditions: ifMatch(version) }),
        })
        .catch(async (error: unknown) => {
          throw statusOf(error) === 412 ? await this.#noMatch(key, abortSignal) : error;
        });
      const body = this.#body(key, answer, options);
      try {
        const size = sizeByRange(key, answer, range);
        const metadata = fromAzureMetadata(answer.metadata);
        return { head: { ...infoOf(key, answer), size, metadata }, body };
      } catch (error) {
        await discard(body);
        throw error;
      }
    });
  }

  /**
   * Returns the error for a read that failed because the object does not have the requested version: STORAGE_CONFLICT
   * if the object exists, otherwise STORAGE_NOT_FOUND.
   */
  async #noMatch(key: string, abortSignal: AbortSignal | undefined): Promise<Error> {
    const there = await this.#blob(key).exists({ abortSignal });
    return there ? changed(key) : missing(key);
  }

  #body(key: string, answer: BlobDownloadResponseParsed, options: GetOptions): AsyncIterable<Uint8Array> {
    const { contentMD5, contentLength: length = 0 } = answer;
    return receivedBody(answer.readableStreamBody as Readable, {
      key,
      length,
      failure: (error) => this.#failure(error, 'read', key, options.signal),
      checksum: contentMD5 && options.range === undefined ? md5Checksum(contentMD5) : undefined,
    });
  }

  async put(
    key: string,
    body: Uint8Array | AsyncIterable<Uint8Array>,
    options: PutOptions = {},
  ): Promise<ObjectInfo> {
    return this.#write(key, body, options, {});
  }

  async create(
    key: string,
    body: Uint8Array | AsyncIterable<Uint8Array>,
    options: PutOptions = {},
  ): Promise<ObjectInfo> {
    return this.#write(key, body, options, { ifNoneMatch: '*' });
  }

  async #write(
    key: string,
    body: Uint8Array | AsyncIterable<Uint8Array>,
    options: PutOptions,
    conditions: BlobRequestConditions,
  ): Promise<ObjectInfo> {
    checkMetadata(key, options.metadata);
    const target = (): AzureTarget => ({
      blob: this.#blob(key),
      metadata: toAzureMetadata(options.metadata ?? {}),
      conditions,
    });
    if (body instanceof Uint8Array) {
      return this.#call(key, 'write', options, async (abortSignal) => {
        const answer = await uploadWhole(target(), body, abortSignal);
        return { ...infoOf(key, answer), size: body.length };
      });
    }
    const watched = watchBody(body, options.signal);
    return this.#call(
      key,
      'write',
      options,
      async (abortSignal) => {
        const answer = await uploadStream(target(), watched, abortSignal);
        return { ...infoOf(key, answer), size: watched.size() };
      },
      watched,
    );
  }

  async copy(from: string, to: string, options: CallOptions = {}): Promise<ObjectInfo> {
    checkKey(to);
    const source = await this.head(from, options);
    if (source === undefined) throw missing(from);
    const { metadata: _, ...info } = source;
    // Copying an object to its own key changes nothing.
    if (from === to) return info;
    return this.#call(to, 'copy', options, async (abortSignal) => {
      const blockSize = this.#options.copyBlockSize ?? maxCopyBytes;
      const copying = { from: this.#blob(from), to: this.#blob(to), source, blockSize };
      const answer = await copyBlob(this.#store, copying, abortSignal);
      return { ...infoOf(to, answer), size: source.size };
    });
  }

  async delete(key: string, options: CallOptions = {}): Promise<void> {
    return this.#call(key, 'delete', options, async (abortSignal) => {
      await this.#blob(key).deleteIfExists({ abortSignal });
    });
  }

  #blob(key: string): BlockBlobClient {
    return this.#store.container.getBlockBlobClient(key);
  }

  /**
   * Creates the container if it does not exist and `storage_create_container` is set. That setting is off by default,
   * because otherwise a typo in the container's name would create a new container. All calls wait for the same request,
   * so none of them may abort it.
   */
  async #createContainer(signal: AbortSignal | undefined): Promise<void> {
    if (!this.#config.storage_create_container) return;
    if (this.#container === undefined) {
      const creation = this.#store.container.createIfNotExists();
      creation.catch(() => (this.#container = undefined));
      this.#container = creation;
    }
    await untilAborted(this.#container, signal);
  }

  /**
   * Runs one call. If `try_timeout` is set, the signal passed to `run` is aborted after that time. The time limit does
   * not include reading the response's body afterwards.
   */
  #call<T>(
    key: string,
    verb: string,
    options: CallOptions,
    run: (signal: AbortSignal | undefined) => Promise<T>,
    body?: WatchedBody,
  ): Promise<T> {
    const { try_timeout: limitMs } = this.#config.pipeline_config;
    const stop = new AbortController();
    const { signal: own } = options;
    const signal = own === undefined ? stop.signal : AbortSignal.any([own, stop.signal]);
    const late = storageError(
      'STORAGE_UNAVAILABLE',
      key,
      `The store took longer than ${limitMs} ms (try_timeout).`,
    );
    const timer = limitMs > 0 ? setTimeout(() => stop.abort(late), limitMs) : undefined;
    return driverCall({
      key,
      signal: own,
      run: async () => {
        try {
          await this.#createContainer(own);
          return await untilAborted(run(signal), signal);
        } finally {
          clearTimeout(timer);
        }
      },
      body,
      failure: (error) => this.#failure(error, verb, key, own),
    });
  }

  #failure(error: unknown, verb: string, key: string, signal: AbortSignal | undefined): unknown {
    if (signal?.aborted === true) return signal.reason;
    const { label } = this;
    return toStorageError(error, { label, verb, key });
  }
}

function md5Checksum(expected: Uint8Array): ReceivedChecksum {
  const sum = createHash('md5');
  return { name: 'MD5', add: (bytes) => sum.update(bytes), matches: () => sum.digest().equals(expected) };
}
