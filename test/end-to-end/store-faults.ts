import type { IncomingMessage } from 'node:http';
import { asyncLocalStorage } from '@temporalio/activity';
import { FederationError } from '../../errors/federation-error';
import type { Bucket, ObjectBody } from '../../storage/bucket';
import { toStorageError } from '../../storage/drivers/filesystem-files';
import type { Fault as ProxyFault } from '../storage/fault-proxy';

/** A kind of call to a store. `write` includes `create`, because a proxy sees a PUT in both cases. */
export type Verb = 'list' | 'head' | 'get' | 'write' | 'copy' | 'delete';

/**
 * The steps of a federation that use the store, in order. Each step begins with the first call that matches its verb
 * and key.
 */
export const phases = {
  'recording the request': { verb: 'write', key: /^federated\/combined\/runs\/[^/]+\/request\.json$/ },
  listing: { verb: 'list', key: /^federated\/(?!combined)/ },
  reading: { verb: 'get', key: /^federated\/(?!combined)/ },
  merging: { verb: 'write', key: /^federated\/combined\/objects\// },
  commit: { verb: 'write', key: /^federated\/combined\/generations\// },
  publish: { verb: 'copy', key: /^federated\/combined\/objects\// },
  'clean-up': { verb: 'write', key: /^federated\/combined\/unreferenced\.json$/ },
  report: { verb: 'write', key: /^federated\/combined\/runs\/[^/]+\/report\.json$/ },
} as const satisfies Record<string, { verb: Verb; key: RegExp }>;
export type Phase = keyof typeof phases;

interface FaultKind {
  /**
   * Which calls fail once the phase has begun:
   * - `phase`: only calls of that phase, as when a single permission is missing
   * - `writes`: calls of that phase, and all writes
   * - `everything`: all calls
   */
  readonly reach: 'phase' | 'writes' | 'everything';
  /** Code of the system error that failing calls to a folder throw. */
  readonly errno: string;
  /** Response of an S3 server. Undefined if there is no response, because the connection breaks. */
  readonly response?: { readonly status: number; readonly code: string };
}

/** The ways in which a store can fail. */
export const faults = {
  away: { reach: 'everything', errno: '', response: { status: 404, code: 'NoSuchBucket' } },
  refused: { reach: 'phase', errno: 'EACCES', response: { status: 403, code: 'AccessDenied' } },
  full: { reach: 'writes', errno: 'ENOSPC', response: { status: 507, code: 'XMinioStorageFull' } },
  throttled: { reach: 'everything', errno: 'EMFILE', response: { status: 503, code: 'SlowDown' } },
  '5xx': { reach: 'everything', errno: 'EIO', response: { status: 500, code: 'InternalError' } },
  cut: { reach: 'everything', errno: 'ESTALE' },
} as const satisfies Record<string, FaultKind>;
export type Fault = keyof typeof faults;

/** A fault of a store. It begins with a phase of a run, and affects `times` calls. By default, it lasts forever. */
export class Trouble {
  readonly kind: FaultKind;
  #begun = false;
  #left: number;

  constructor(
    readonly fault: Fault,
    private readonly phase: Phase,
    times = Infinity,
  ) {
    this.kind = faults[fault];
    this.#left = times;
  }

  /** Returns whether the fault has begun. */
  get begun(): boolean {
    return this.#begun;
  }

  /** Returns whether a call to the store has to fail. */
  strikes(verb: Verb, key: string): boolean {
    const { verb: first, key: keys } = phases[this.phase];
    const within = verb === first && keys.test(key);
    this.#begun ||= within;
    const reached =
      within ||
      (this.#begun && this.kind.reach === 'everything') ||
      (this.#begun && this.kind.reach === 'writes' && (verb === 'write' || verb === 'copy'));
    if (!reached || this.#left === 0) return false;
    this.#left -= 1;
    return true;
  }
}

/**
 * Wraps the driver of a folder so that calls fail with the fault that `trouble` returns, as on a failing disk or mount.
 */
export function failingFolder(folder: Bucket, trouble: () => Trouble | undefined): Bucket {
  const failure = ({ fault, kind }: Trouble, verb: Verb, key: string) =>
    fault === 'away'
      ? new FederationError('STORAGE_BUCKET_NOT_FOUND', { detail: `There is no folder ${folder.label}.` })
      : toStorageError(Object.assign(new Error(kind.errno), { code: kind.errno }), folder.label, verb, key);

  /**
   * Makes a call, unless the fault makes it fail. If the fault is `cut`, the call takes effect, and only its answer is
   * lost.
   */
  async function call<T>(verb: Verb, key: string, work: () => Promise<T>): Promise<T> {
    const now = trouble();
    if (now === undefined || !now.strikes(verb, key)) return work();
    if (now.fault === 'cut') await work();
    throw failure(now, verb, key);
  }

  async function get(key: string, work: () => Promise<ObjectBody>): Promise<ObjectBody> {
    const now = trouble();
    if (now === undefined || !now.strikes('get', key)) return work();
    if (now.fault !== 'cut') throw failure(now, 'get', key);
    const { head, body } = await work();
    return { head, body: half(body, failure(now, 'get', key)) };
  }

  return {
    type: folder.type,
    label: folder.label,
    async *list(prefix, options) {
      const now = trouble();
      const struck = now !== undefined && now.strikes('list', prefix);
      if (struck && now.fault !== 'cut') throw failure(now, 'list', prefix);
      for await (const entry of folder.list(prefix, options)) {
        if (struck) throw failure(now, 'list', prefix);
        yield entry;
      }
      if (struck) throw failure(now, 'list', prefix);
    },
    head: (key, options) => call('head', key, () => folder.head(key, options)),
    get: (key, options) => get(key, () => folder.get(key, options)),
    put: (key, body, options) => call('write', key, () => folder.put(key, body, options)),
    create: (key, body, options) => call('write', key, () => folder.create(key, body, options)),
    copy: (from, to, options) => call('copy', from, () => folder.copy(from, to, options)),
    delete: (key, options) => call('delete', key, () => folder.delete(key, options)),
    close: () => folder.close(),
  };
}

/** Yields the first half of the first chunk, then throws. */
async function* half(body: AsyncIterable<Uint8Array>, error: unknown): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    yield chunk.subarray(0, chunk.length / 2);
    throw error;
  }
}

/**
 * Returns the fault that a proxy in front of an S3 server must apply to a request. Undefined if the request must
 * succeed.
 */
export function failingS3(request: IncomingMessage, trouble: Trouble | undefined): ProxyFault | undefined {
  const { verb, key } = callOf(request);
  if (trouble === undefined || !trouble.strikes(verb, key)) return undefined;
  const { response } = trouble.kind;
  if (response === undefined) return { kind: verb === 'list' || verb === 'get' ? 'cut' : 'answer lost' };
  const { status, code } = response;
  const body = `<Error><Code>${code}</Code><Message>as the test wants it</Message></Error>`;
  return { kind: 'status', status, body };
}

function callOf({ method, url = '', headers }: IncomingMessage): { verb: Verb; key: string } {
  const { pathname, searchParams } = new URL(url, 'http://localhost');
  const keyOf = (path: string) => decodeURIComponent(path).replace(/^\/?[^/]+\/?/, '');
  const copied = headers['x-amz-copy-source'];
  if (typeof copied === 'string') return { verb: 'copy', key: keyOf(copied) };
  if (searchParams.has('list-type')) return { verb: 'list', key: searchParams.get('prefix') ?? '' };
  const verbs: Record<string, Verb> = { HEAD: 'head', GET: 'get', DELETE: 'delete' };
  return { verb: verbs[method ?? ''] ?? 'write', key: keyOf(pathname) };
}

/**
 * Wraps a bucket so that an activity is attempted at most `attempts` times if the bucket fails. In production, an
 * activity has six attempts, which take half a minute.
 */
export function withFewAttempts(bucket: Bucket, attempts: number): Bucket {
  const last = (error: unknown) => {
    const attempt = asyncLocalStorage.getStore()?.info.attempt ?? 1;
    if (!(error instanceof FederationError) || attempt < attempts) return error;
    const { code, subject, detail, hint, cause } = error;
    return new FederationError(code, { subject, detail, hint, cause, retryable: false });
  };
  const call = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw last(error);
    }
  };
  async function* each<T>(items: AsyncIterable<T>): AsyncGenerator<T> {
    try {
      yield* items;
    } catch (error) {
      throw last(error);
    }
  }
  return {
    type: bucket.type,
    label: bucket.label,
    list: (prefix, options) => each(bucket.list(prefix, options)),
    head: (key, options) => call(bucket.head(key, options)),
    get: async (key, options) => {
      const { head, body } = await call(bucket.get(key, options));
      return { head, body: each(body) };
    },
    put: (key, body, options) => call(bucket.put(key, body, options)),
    create: (key, body, options) => call(bucket.create(key, body, options)),
    copy: (from, to, options) => call(bucket.copy(from, to, options)),
    delete: (key, options) => call(bucket.delete(key, options)),
    close: () => bucket.close(),
  };
}
