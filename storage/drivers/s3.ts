import type { Readable } from 'node:stream';
import type { GetObjectCommandOutput } from '@aws-sdk/client-s3';
import { discard, watchBody, type WatchedBody } from '../body';
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
import { checkRange, rangeHeader, sizeByRange } from '../range';
import { receivedBody } from '../received-body';
import { changed, missing } from '../store-failure';
import { infoOf } from './s3-answers';
import { connect, type S3Connection } from './s3-client';
import type { S3Config } from './s3-config';
import { copyObject, maxCopyBytes } from './s3-copy';
import { statusOf, toStorageError } from './s3-errors';
import { encryptionOf, userHeaders } from './s3-headers';
import { listPages } from './s3-list';
import { upload, uploadWhole } from './s3-upload';

export interface S3Options {
  /**
   * Objects with more bytes than this are copied in parts of this size. (Default: 5 GiB, the most that S3 copies in one
   * request)
   */
  readonly copyPartSize?: number;
}

/** Opens a bucket of S3 or of a compatible store. Sends no request yet. */
export async function openS3(config: S3Config, options: S3Options = {}): Promise<Bucket> {
  return new S3Bucket(config, await connect(config), options);
}

class S3Bucket implements Bucket {
  readonly type = 'S3';
  readonly label: string;
  readonly #config: S3Config;
  readonly #store: S3Connection;
  readonly #options: S3Options;
  readonly #user: ReturnType<typeof userHeaders>;
  readonly #encryption: ReturnType<typeof encryptionOf>;

  constructor(config: S3Config, store: S3Connection, options: S3Options) {
    this.label = `s3://${config.bucket}`;
    this.#config = config;
    this.#store = store;
    this.#options = options;
    this.#user = userHeaders(config);
    this.#encryption = encryptionOf(config);
  }

  close(): Promise<void> {
    this.#store.client.destroy();
    return Promise.resolve();
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncGenerator<ListEntry> {
    checkPrefix(prefix);
    options.signal?.throwIfAborted();
    const version1 = this.#config.list_objects_version === 'v1';
    try {
      yield* listPages(this.#store.client, { bucket: this.#config.bucket, prefix, version1 }, options);
    } catch (error) {
      throw this.#failure(error, 'list', prefix, options.signal);
    }
  }

  async head(key: string, options: CallOptions = {}): Promise<ObjectHead | undefined> {
    return this.#call(key, 'look', options, async () => {
      try {
        const request = { ...this.#at(key), ...this.#encryption.read };
        const answer = await this.#store.client.headObject(request, { abortSignal: options.signal });
        return { ...infoOf(key, answer), metadata: answer.Metadata ?? {} };
      } catch (error) {
        if (statusOf(error) === 404) return undefined;
        throw error;
      }
    });
  }

  async get(key: string, options: GetOptions = {}): Promise<ObjectBody> {
    checkRange(key, options.range);
    return this.#call(key, 'read', options, async () => {
      const answer = await this.#store.client
        .getObject(
          {
            ...this.#at(key),
            ...this.#encryption.read,
            Range: rangeHeader(options.range),
            IfMatch: options.version,
          },
          { abortSignal: options.signal },
        )
        .catch((error: unknown) => {
          throw statusOf(error) === 412 ? changed(key) : error;
        });
      const body = this.#body(key, answer, options);
      try {
        const { ContentLength: contentLength, ContentRange: contentRange } = answer;
        const size = sizeByRange(key, { contentRange, contentLength }, options.range);
        return { head: { ...infoOf(key, answer), size, metadata: answer.Metadata ?? {} }, body };
      } catch (error) {
        await discard(body);
        throw error;
      }
    });
  }

  #body(key: string, answer: GetObjectCommandOutput, options: GetOptions): AsyncIterable<Uint8Array> {
    return receivedBody(answer.Body as Readable, {
      key,
      length: answer.ContentLength ?? 0,
      failure: (error) => this.#failure(error, 'read', key, options.signal),
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
    return this.#write(key, body, options, { IfNoneMatch: '*' });
  }

  async #write(
    key: string,
    body: Uint8Array | AsyncIterable<Uint8Array>,
    options: PutOptions,
    condition: { IfNoneMatch?: '*' },
  ): Promise<ObjectInfo> {
    checkMetadata(key, options.metadata);
    const { client } = this.#store;
    const request = {
      ...this.#at(key),
      ...this.#user.headers,
      ...this.#encryption.write,
      ...condition,
      Metadata: { ...this.#user.metadata, ...options.metadata },
    };
    if (body instanceof Uint8Array) {
      return this.#call(key, 'write', options, async () => {
        const answer = await client.putObject({ ...request, Body: body }, { abortSignal: options.signal });
        return this.#written(key, body.length, answer);
      });
    }
    const stop = new AbortController();
    const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
    const watched = watchBody(body, signal);
    const sending = { partSize: this.#config.part_size, stop, signal: options.signal };
    return this.#call(
      key,
      'write',
      options,
      async () => {
        const answer = this.#config.disable_multipart
          ? await uploadWhole(client, request, watched, signal)
          : await upload(client, request, watched, sending);
        return this.#written(key, watched.size(), answer);
      },
      watched,
    );
  }

  /**
   * Returns the size, time and version of an object that was just written. S3 does not return the modification time
   * after a write, so the returned time is the current time of the store's clock.
   */
  #written(key: string, size: number, answer: { ETag?: string }): ObjectInfo {
    return { ...infoOf(key, answer), size, modified: this.#store.now() };
  }

  async copy(from: string, to: string, options: CallOptions = {}): Promise<ObjectInfo> {
    checkKey(to);
    const source = await this.head(from, options);
    if (source === undefined) throw missing(from);
    // Copying an object to its own key changes nothing, and stores reject the request.
    if (from === to) return source;
    return this.#call(to, 'copy', options, async () => {
      const target = {
        ...this.#at(to),
        ...this.#user.headers,
        ...this.#encryption.write,
        ...this.#encryption.copySource,
      };
      const partSize = this.#options.copyPartSize ?? maxCopyBytes;
      const copying = { bucket: this.#config.bucket, source, target, partSize };
      const { ETag, LastModified = this.#store.now() } = await copyObject(
        this.#store.client,
        copying,
        options.signal,
      );
      return { ...infoOf(to, { ETag, LastModified }), size: source.size };
    });
  }

  async delete(key: string, options: CallOptions = {}): Promise<void> {
    return this.#call(key, 'delete', options, async () => {
      await this.#store.client.deleteObject(this.#at(key), { abortSignal: options.signal });
    });
  }

  #at(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#config.bucket, Key: key };
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
      run,
      body,
      failure: (error) => this.#failure(error, verb, key, options.signal),
    });
  }

  #failure(error: unknown, verb: string, key: string, signal: AbortSignal | undefined): unknown {
    if (signal?.aborted === true) return signal.reason;
    return toStorageError(error, { label: this.label, verb, key });
  }
}
