import type { z } from 'zod';
import { FederationError, isFederationError } from '../errors/federation-error';
import { discard } from './body';
import type { Bucket, BucketReader, GetOptions, ObjectInfo, PutOptions } from './bucket';
import { resolveRange } from './range';

/** What is read whole without a limit of its own: 64 MiB. */
const defaultMaxBytes = 64 * 1024 * 1024;

export interface ReadAllOptions extends GetOptions {
  /** STORAGE_TOO_LARGE above it; 64 MiB unless given. */
  readonly maxBytes?: number;
}

/** An object's bytes, or those of the range, in memory as a whole, and of exactly the state that `head` describes. Throws as `get` does. */
export async function readAll(
  bucket: BucketReader,
  key: string,
  { maxBytes = defaultMaxBytes, ...options }: ReadAllOptions = {},
): Promise<{ head: ObjectInfo; bytes: Buffer }> {
  const { head, body } = await bucket.get(key, options);
  const { start, end } = resolveRange(key, options.range, head.size);
  const size = end - start;
  if (size > maxBytes) {
    await discard(body);
    throw new FederationError('STORAGE_TOO_LARGE', {
      subject: { key },
      detail: `The object has ${size} bytes; at most ${maxBytes} are read at once here.`,
    });
  }
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  for await (const chunk of body) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return { head, bytes };
}

/** A JSON object; undefined when there is none. STORAGE_CORRUPT, not retried, when it is not what the schema says. */
export async function readJson<Schema extends z.ZodType>(
  bucket: BucketReader,
  key: string,
  schema: Schema,
  options: ReadAllOptions = {},
): Promise<z.output<Schema> | undefined> {
  const bytes = await readIfThere(bucket, key, options);
  if (bytes === undefined) return undefined;
  const result = schema.safeParse(parseJson(key, bytes));
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw notAsWritten(key, `at ${issue?.path.join('.') || 'its top'}: ${issue?.message ?? 'invalid'}`);
}

/** Creates or replaces a JSON object. */
export async function writeJson(
  bucket: Bucket,
  key: string,
  value: unknown,
  options?: PutOptions,
): Promise<ObjectInfo> {
  return bucket.put(key, Buffer.from(`${JSON.stringify(value)}\n`), options);
}

async function readIfThere(
  bucket: BucketReader,
  key: string,
  options: ReadAllOptions,
): Promise<Buffer | undefined> {
  try {
    return (await readAll(bucket, key, options)).bytes;
  } catch (error) {
    if (isFederationError(error, 'STORAGE_NOT_FOUND')) return undefined;
    throw error;
  }
}

function parseJson(key: string, bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    // The parser's own message quotes the content.
    throw notAsWritten(key, `${bytes.length} bytes that are no JSON`, error);
  }
}

function notAsWritten(key: string, what: string, cause?: unknown): FederationError {
  return new FederationError('STORAGE_CORRUPT', {
    subject: { key },
    detail: `The object does not hold what was written there: ${what}.`,
    retryable: false,
    cause,
  });
}
