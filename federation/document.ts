import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { FederationError, isFederationError } from '../errors/federation-error';
import type { Bucket, BucketReader, CallOptions, ObjectInfo, PutOptions } from '../storage/bucket';
import { readWhole } from '../storage/read-all';

/** Definition of one kind of JSON document in the bucket. `documents.ts` defines all kinds. */
export interface DocumentKind<Value, Names extends readonly unknown[]> {
  /** Pattern of the documents' keys. `<…>` marks a part that varies. */
  readonly pattern: string;
  /** What writes the document, and when. `docs/design/bucket-format.md` has the same text. */
  readonly writer: string;
  /** Builds the key of one document from the parts that vary. */
  readonly key: (...names: Names) => string;
  readonly schema: z.ZodType<Value>;
  /** Maximum size of a document, in bytes. Reading a larger document fails. */
  readonly limit: number;
  /**
   * What happens when a damaged document is read. `absent`: it is treated as missing. Otherwise, the read throws an
   * error with this code.
   */
  readonly damaged: 'STORAGE_CORRUPT' | 'GENERATION_UNREADABLE' | 'absent';
  /**
   * If true, the document does not carry the SHA-256 of its bytes. In a folder, an object with metadata has a second
   * file beside it. (Default: false)
   */
  readonly withoutDigest?: boolean;
}

/** One document in the bucket: the definition of its kind, and its key. */
export interface DocumentAt<Value> extends Omit<DocumentKind<Value, never>, 'key'> {
  readonly key: string;
}

/**
 * Adds a function `at` to the definition of a document kind. Given the parts of the key that vary, `at` returns the
 * document with that key.
 */
export function defineDocument<Value, Names extends readonly unknown[]>(kind: DocumentKind<Value, Names>) {
  const at = (...names: Names): DocumentAt<Value> => ({ ...kind, key: kind.key(...names) });
  return { ...kind, at };
}

/**
 * Reads a document. Returns undefined if the document does not exist, or if it is damaged and its kind treats damaged
 * documents as absent.
 *
 * @throws STORAGE_TOO_LARGE if the document is larger than its kind allows; an error with the code in `damaged` if the
 *   bytes differ from their digest each time they are read, or if the content does not match the schema; also throws
 *   errors of the store
 */
export async function readDocument<Value>(
  bucket: BucketReader,
  document: DocumentAt<Value>,
  options?: CallOptions,
): Promise<Value | undefined> {
  const { damaged } = document;
  if (damaged === 'absent') return readIntact(bucket, document, options);
  try {
    return await parse(bucket, document, options);
  } catch (cause) {
    if (damaged === 'STORAGE_CORRUPT' || !isFederationError(cause, 'STORAGE_CORRUPT')) throw cause;
    const { subject, detail } = cause;
    throw new FederationError(damaged, { subject, detail, retryable: false, cause });
  }
}

/** A document that may be damaged. Neither field is set if the document does not exist. */
export interface Examined<Value> {
  readonly value?: Value;
  /** Set if the document is damaged: its key, and what is wrong with it. */
  readonly damage?: Damage;
}

/** A damaged document. */
export interface Damage {
  readonly key: string;
  /** What is wrong with the document, in one sentence. */
  readonly detail: string;
}

/** Like `readDocument`, but returns what is wrong with a damaged document instead of throwing an error. */
export async function examineDocument<Value>(
  bucket: BucketReader,
  document: DocumentAt<Value>,
  options?: CallOptions,
): Promise<Examined<Value>> {
  try {
    return { value: await parse(bucket, document, options) };
  } catch (error) {
    if (!isFederationError(error, 'STORAGE_CORRUPT')) throw error;
    return { damage: { key: document.key, detail: error.detail } };
  }
}

/**
 * Like `readDocument`, but also returns undefined for a damaged document. It is meant for callers that then write the
 * document again.
 */
export async function readIntact<Value>(
  bucket: BucketReader,
  document: DocumentAt<Value>,
  options?: CallOptions,
): Promise<Value | undefined> {
  return (await examineDocument(bucket, document, options)).value;
}

/** Like `readDocument`, but throws STORAGE_NOT_FOUND if the document does not exist. */
export async function requireDocument<Value>(
  bucket: BucketReader,
  document: DocumentAt<Value>,
  options?: CallOptions,
): Promise<Value> {
  const value = await readDocument(bucket, document, options);
  if (value !== undefined) return value;
  throw new FederationError('STORAGE_NOT_FOUND', {
    subject: { key: document.key },
    detail: 'The object is gone.',
  });
}

/** Writes a document only if it does not exist yet. Returns whether it was written. */
export async function createDocument<Value>(
  bucket: Bucket,
  document: DocumentAt<Value>,
  value: NoInfer<Value>,
  options?: CallOptions,
): Promise<boolean> {
  try {
    const bytes = encode(value);
    await bucket.create(document.key, bytes, { ...options, ...digestOf(document, bytes) });
    return true;
  } catch (error) {
    if (isFederationError(error, 'STORAGE_PRECONDITION_FAILED')) return false;
    throw error;
  }
}

/** Writes a document, replacing any existing one. */
export async function replaceDocument<Value>(
  bucket: Bucket,
  document: DocumentAt<Value>,
  value: NoInfer<Value>,
  options?: CallOptions,
): Promise<ObjectInfo> {
  const bytes = encode(value);
  return bucket.put(document.key, bytes, { ...options, ...digestOf(document, bytes) });
}

function encode(value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(value)}\n`);
}

/** Returns the metadata by which `readWhole` notices bytes that have changed: the SHA-256 of the bytes. */
function digestOf(
  { withoutDigest = false }: Pick<DocumentAt<unknown>, 'withoutDigest'>,
  bytes: Uint8Array,
): Pick<PutOptions, 'metadata'> {
  if (withoutDigest) return {};
  return { metadata: { sha256: createHash('sha256').update(bytes).digest('hex') } };
}

async function parse<Value>(
  bucket: BucketReader,
  { key, schema, limit }: DocumentAt<Value>,
  options?: CallOptions,
): Promise<Value | undefined> {
  const bytes = await readBytes(bucket, key, limit, options);
  if (bytes === undefined) return undefined;
  const result = schema.safeParse(parseJson(key, bytes));
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw corrupt(key, `at ${issue?.path.join('.') || 'its top'}: ${issue?.message ?? 'invalid'}`);
}

async function readBytes(
  bucket: BucketReader,
  key: string,
  maxBytes: number,
  options?: CallOptions,
): Promise<Buffer | undefined> {
  try {
    return (await readWhole(bucket, key, { ...options, maxBytes })).bytes;
  } catch (error) {
    if (isFederationError(error, 'STORAGE_NOT_FOUND')) return undefined;
    throw error;
  }
}

function parseJson(key: string, bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    // Do not quote the document's content here, because the message of `cause` already quotes it.
    throw corrupt(key, `${bytes.length} bytes that are no JSON`, cause);
  }
}

function corrupt(key: string, what: string, cause?: unknown): FederationError {
  return new FederationError('STORAGE_CORRUPT', {
    subject: { key },
    detail: `The object is not what was written: ${what}.`,
    retryable: false,
    cause,
  });
}
