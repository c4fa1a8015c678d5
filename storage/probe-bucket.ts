import { isFederationError } from '../errors/federation-error';
import { discard } from './body';
import type { Bucket, BucketReader, CallOptions } from './bucket';
import { probeConditionalCreate, unsafeWithoutCondition } from './conditional-create';
import { readAll } from './read-all';

/** The operations that can be probed, in the order in which they are tried. */
export const probeOperations = [
  'list',
  'write',
  'replace',
  'head',
  'read',
  'copy',
  'delete',
  'conditional create',
] as const;
export type ProbeOperation = (typeof probeOperations)[number];

export interface ProbeResult {
  /**
   * The operation that was tried, or `clock` for a comparison of the store's clock with this machine's. There is a
   * result `clock` only if the probe has written an object and read the object's head.
   */
  readonly operation: ProbeOperation | 'clock';
  readonly outcome: 'ok' | 'warning' | 'failed' | 'skipped';
  readonly detail: string;
  readonly error?: unknown;
  /**
   * Set if no operation can succeed, for example because the store rejects the credentials. The remaining operations
   * are then skipped.
   */
  readonly hopeless?: true;
}

export interface ProbeOptions {
  /** The prefix to list and to read from. It ends with a slash. */
  readonly prefix: string;
  /** The operations to probe. Without `write`, no object is written, and `read` uses the first existing object. */
  readonly operations: readonly ProbeOperation[];
  /** All keys of test objects start with this text. It must be unique to this probe and must begin with `prefix`. */
  readonly key: string;
  /** Returns the current time of this machine. */
  readonly now: () => Date;
  /**
   * If this signal is aborted, the remaining operations are skipped. Test objects that were written are still removed.
   */
  readonly signal?: AbortSignal;
  /** Time limit for one operation including its retries, in milliseconds. (Default: 20,000) */
  readonly patienceMs?: number;
}

/**
 * Limits for the difference between the store's clock and this machine's, in milliseconds. Above `warningMs`, requests
 * become unreliable. Above `failedMs`, stores reject signed requests.
 */
const clockLimits = { warningMs: 60_000, failedMs: 15 * 60_000 };

/**
 * Matches messages of errors after which no operation can succeed, because the credentials or the location are wrong.
 */
const strangers = new RegExp(
  '\\b(?:SignatureDoesNotMatch|InvalidAccessKeyId|ExpiredToken|InvalidToken|XAdminUserNotFound|RequestTimeTooSkewed|' +
    'CredentialsProviderError|AuthorizationHeaderMalformed|PermanentRedirect|IllegalLocationConstraintException|' +
    'AuthenticationFailed|InvalidAuthenticationInfo|CredentialUnavailableError|invalid_grant|noCredentials)\\b|, 401,' +
    '|failed to authenticate the request',
);

/** Returns true if the error means that the store rejects the client itself, and not just this operation. */
export function isStranger(error: unknown): boolean {
  return isFederationError(error, 'STORAGE_ACCESS_DENIED') && strangers.test(error.detail);
}

/**
 * Tries operations with small test objects below the prefix. Always removes the test objects at the end. If an
 * operation fails, does not throw but adds the failure to the results, which are in the order of `probeOperations`.
 */
export async function probeBucket(bucket: Bucket, options: ProbeOptions): Promise<ProbeResult[]> {
  const probe = new Probe(bucket, options);
  try {
    for (const operation of probeOperations) {
      if (options.operations.includes(operation)) await probe.try(operation);
    }
  } finally {
    await probe.cleanUp();
  }
  return probe.results;
}

class Probe {
  readonly results: ProbeResult[] = [];
  readonly #key: string;
  readonly #copyKey: string;
  /**
   * Keys of test objects that are still to be removed. The value is true if the object certainly exists, and false if
   * this is unknown.
   */
  readonly #left = new Map<string, boolean>();
  #body = '';
  #asked = { from: 0, to: 0 };
  #worked = false;
  #hopeless = false;
  #created = false;
  #deletes = false;

  constructor(
    private readonly bucket: Bucket,
    private readonly options: ProbeOptions,
  ) {
    this.#key = options.key;
    this.#copyKey = `${options.key}-copy`;
  }

  /** Tries one operation, unless earlier results make it pointless. */
  async try(operation: ProbeOperation): Promise<void> {
    const reason = this.#skipReason(operation);
    if (reason !== undefined) return this.#note(operation, 'skipped', reason);
    try {
      await this.#run(operation);
      this.#worked = true;
    } catch (error) {
      if (this.options.signal?.aborted === true) return this.#note(operation, 'skipped', interrupted);
      this.#hopeless = !this.#worked && leavesNoHope(error);
      const detail = describe(error, this.#patienceMs);
      this.results.push({
        operation,
        outcome: 'failed',
        detail,
        error,
        ...(this.#hopeless && { hopeless: true }),
      });
    }
  }

  /**
   * Removes the remaining test objects. If some cannot be removed, reports this as a result of `delete`, even if
   * `delete` is not one of the operations to probe.
   */
  async cleanUp(): Promise<void> {
    const staying: string[] = [];
    for (const [key, sure] of this.#left) {
      const { patienceMs } = this.options;
      await this.bucket.delete(key, call(patienceMs)).catch(() => sure && staying.push(key));
    }
    if (staying.length === 0) return;
    const detail = `Test objects could not be removed: ${staying.join(', ')}.`;
    const failed = this.results.findIndex(({ operation }) => operation === 'delete');
    const result = this.results[failed];
    if (result === undefined) this.#note('delete', 'warning', detail);
    else this.results[failed] = { ...result, detail: `${result.detail} ${detail}` };
  }

  get #patienceMs(): number {
    return this.options.patienceMs ?? 20_000;
  }

  #note(operation: ProbeResult['operation'], outcome: ProbeResult['outcome'], detail: string): void {
    this.results.push({ operation, outcome, detail });
  }

  #skipReason(operation: ProbeOperation): string | undefined {
    if (this.options.signal?.aborted === true) return interrupted;
    if (this.#hopeless) return 'Nothing can be done in this bucket; see above.';
    const writes = this.options.operations.includes('write');
    const needsObject = ['replace', 'head', 'read', 'copy', 'delete'].includes(operation);
    if (needsObject && writes && !this.#created) return 'No object could be written to try it with.';
    if (operation === 'conditional create' && !this.#deletes)
      return 'The objects that it writes could not be removed.';
    return undefined;
  }

  async #run(operation: ProbeOperation): Promise<void> {
    const { bucket } = this;
    const options = call(this.#patienceMs, this.options.signal);
    switch (operation) {
      case 'list': {
        const first = await firstObject(bucket, this.options.prefix, options);
        const what = first === undefined ? 'There are no objects yet' : `The first object is ${first}`;
        return this.#note(operation, 'ok', `${what}.`);
      }
      case 'write':
        await this.#put('first', options);
        this.#created = true;
        return this.#note(operation, 'ok', 'A new object can be written.');
      case 'replace':
        await this.#put('second', options);
        return this.#note(operation, 'ok', 'An object can be replaced.');
      case 'head':
        return this.#head(options);
      case 'read':
        return this.#read(options);
      case 'copy': {
        this.#left.set(this.#copyKey, false);
        await bucket.copy(this.#key, this.#copyKey, options);
        this.#left.set(this.#copyKey, true);
        await this.#expectBytes(this.#copyKey, options);
        return this.#note(operation, 'ok', 'The store can copy an object itself.');
      }
      case 'delete':
        await bucket.delete(this.#key, options);
        if ((await bucket.head(this.#key, options)) !== undefined)
          throw new Error(`${this.#key} is still there after it was deleted.`);
        this.#left.delete(this.#key);
        this.#deletes = true;
        return this.#note(operation, 'ok', 'An object can be deleted.');
      case 'conditional create':
        return this.#conditionalCreate(options);
    }
  }

  async #put(body: string, options: CallOptions): Promise<void> {
    // Record the key for the clean-up before the `put`, because the object may exist even if the response is lost.
    this.#left.set(this.#key, this.#created);
    const from = this.options.now().getTime();
    await this.bucket.put(this.#key, Buffer.from(body), { ...options, metadata: { probe: body } });
    this.#asked = { from, to: this.options.now().getTime() };
    this.#body = body;
    this.#left.set(this.#key, true);
  }

  async #head(options: CallOptions): Promise<void> {
    const head = await this.bucket.head(this.#key, options);
    if (head === undefined) throw new Error(`${this.#key} was written but does not exist.`);
    if (head.metadata['probe'] !== this.#body)
      throw new Error('The store does not keep the metadata of an object.');
    this.#note('head', 'ok', 'The metadata of an object can be read.');
    this.#noteClock(head.modified.getTime());
  }

  #noteClock(modified: number): void {
    const { from, to } = this.#asked;
    // Many stores round the modification time down to whole seconds, so it may be up to a second too early.
    const aheadMs = modified > to ? modified - to : Math.min(0, modified + 1_000 - from);
    const seconds = Math.round(Math.abs(aheadMs) / 1_000);
    const detail =
      seconds === 0
        ? 'The store’s clock and this machine’s are the same.'
        : `The store’s clock is ${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'} this machine’s.`;
    const { warningMs, failedMs } = clockLimits;
    const far = Math.abs(aheadMs);
    this.#note('clock', far > failedMs ? 'failed' : far > warningMs ? 'warning' : 'ok', detail);
  }

  async #read(options: CallOptions): Promise<void> {
    if (this.options.operations.includes('write')) {
      await this.#expectBytes(this.#key, options);
      return this.#note('read', 'ok', 'A written object can be read back.');
    }
    const key = await firstObject(this.bucket, this.options.prefix, options);
    if (key === undefined) return this.#note('read', 'skipped', 'There is no object to read yet.');
    const { body } = await this.bucket.get(key, options);
    await discard(body);
    this.#note('read', 'ok', `${key} can be read.`);
  }

  async #expectBytes(key: string, options: CallOptions): Promise<void> {
    const { bytes } = await readAll(this.bucket, key, options);
    if (bytes.toString() !== this.#body) throw new Error(`${key} does not hold the bytes that were written.`);
  }

  async #conditionalCreate(options: CallOptions): Promise<void> {
    const key = `${this.options.key}-create`;
    // If `probeConditionalCreate` is interrupted, it does not remove its object. So record the key for the clean-up.
    this.#left.set(key, false);
    const found = await probeConditionalCreate(this.bucket, key, options);
    this.#left.delete(key);
    if (found === 'kept')
      return this.#note('conditional create', 'ok', 'An object can be created only if it is absent.');
    this.#note('conditional create', 'warning', unsafeWithoutCondition);
  }
}

const interrupted = 'It was interrupted.';

function call(patienceMs = 10_000, signal?: AbortSignal): CallOptions {
  const patience = AbortSignal.timeout(patienceMs);
  return { signal: signal === undefined ? patience : AbortSignal.any([patience, signal]) };
}

async function firstObject(
  bucket: BucketReader,
  prefix: string,
  options: CallOptions,
): Promise<string | undefined> {
  for await (const entry of bucket.list(prefix, options)) {
    if (entry.kind === 'object') return entry.key;
  }
  return undefined;
}

function leavesNoHope(error: unknown): boolean {
  return (
    isTimeout(error) ||
    isFederationError(error, 'STORAGE_BUCKET_NOT_FOUND') ||
    isFederationError(error, 'STORAGE_UNAVAILABLE') ||
    isStranger(error)
  );
}

function describe(error: unknown, patienceMs: number): string {
  if (isTimeout(error)) return `The store did not answer within ${patienceMs / 1_000} s.`;
  return error instanceof Error ? error.message : String(error);
}

function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'TimeoutError';
}
