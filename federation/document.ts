import type { z } from 'zod';
import { FederationError, isFederationError } from '../errors/federation-error';
import type { Bucket, BucketReader, CallOptions, ObjectInfo } from '../storage/bucket';
import { readAll } from '../storage/read-all';

/** A kind of JSON document in the bucket. `documents.ts` lists all kinds. */
export interface DocumentKind<Value, Names extends readonly unknown[]> {
  /** Pattern of the keys, with `<…>` for the parts that vary. */
  readonly pattern: string;
  /** What writes the document, and when, in the words of `docs/design/bucket-format.md`. */
  readonly writer: string;
  /** Builds the key of one document. */
  readonly key: (...names: Names) => string;
  readonly schema: z.ZodType<Value>;
  /** Maximum size of a document in bytes. Larger ones are not read. */
  readonly limit: number;
  /** How a damaged document is treated when it is read: as an error with this code, or as absent. */
  readonly damaged: 'STORAGE_CORRUPT' | 'GENERATION_UNREADABLE' | 'absent';
}

/** One document: its kind and its key. */
export interface DocumentAt<Value> extends Omit<DocumentKind<Value, never>, 'key'> {
  readonly key: string;
}

/** Completes the definition of a kind with the function `at`, which selects one document of the kind. */
export function defineDocument<Value, Names extends readonly unknown[]>(kind: DocumentKind<Value, Names>) {
  const at = (...names: Names): DocumentAt<Value> => ({ ...kind, key: kind.key(...names) });
  return { ...kind, at };
}

/**
 * Reads a document; returns undefined if it does not exist.
 *
 * @throws STORAGE_TOO_LARGE if the document exceeds the kind's limit; the kind's error code, not retryable, if the
 *   object does not match the schema; any other error of the store
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

/** Like `readDocument`, but treats a damaged document as absent. For callers that then write the document again. */
export async function readIntact<Value>(
  bucket: BucketReader,
  document: DocumentAt<Value>,
  options?: CallOptions,
): Promise<Value | undefined> {
  try {
    return await parse(bucket, document, options);
  } catch (error) {
    if (isFederationError(error, 'STORAGE_CORRUPT')) return undefined;
    throw error;
  }
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

/** Writes a document unless it exists. Returns whether the document was written. */
export async function createDocument<Value>(
  bucket: Bucket,
  { key }: DocumentAt<Value>,
  value: NoInfer<Value>,
  options?: CallOptions,
): Promise<boolean> {
  try {
    await bucket.create(key, encode(value), options);
    return true;
  } catch (error) {
    if (isFederationError(error, 'STORAGE_PRECONDITION_FAILED')) return false;
    throw error;
  }
}

/** Writes a document, and replaces an existing one. */
export async function replaceDocument<Value>(
  bucket: Bucket,
  { key }: DocumentAt<Value>,
  value: NoInfer<Value>,
  options?: CallOptions,
): Promise<ObjectInfo> {
  return bucket.put(key, encode(value), options);
}

function encode(value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(value)}\n`);
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
    return (await readAll(bucket, key, { ...options, maxBytes })).bytes;
  } catch (error) {
    if (isFederationError(error, 'STORAGE_NOT_FOUND')) return undefined;
    throw error;
  }
}

function parseJson(key: string, bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    // Do not use the parser's own message: it quotes the content.
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
