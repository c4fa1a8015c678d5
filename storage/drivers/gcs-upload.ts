import { randomUUID } from 'node:crypto';
import { FederationError } from '../../errors/federation-error';
import type { WatchedBody } from '../body';
import { type Chunk, inChunks } from '../in-chunks';
import { storageError } from '../store-failure';
import { type GcsObject, objectFields, objectOf } from './gcs-answers';
import { type GcsClient, type GcsRequest, headerOf, readJson } from './gcs-client';
import { Crc32c } from './gcs-crc32c';
import { notTheStore, statusOf } from './gcs-errors';

/** The object that an upload writes. */
export interface GcsTarget {
  /** URL path of the bucket's objects in the JSON API. */
  readonly path: string;
  readonly key: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** True if the upload must fail when the object already exists. */
  readonly ifAbsent: boolean;
}

const contentType = 'application/octet-stream';

/** Uploads bytes in one request, with their CRC32C. The store checks the CRC32C before the object becomes visible. */
export async function uploadWhole(
  client: GcsClient,
  target: GcsTarget,
  parts: readonly Uint8Array[],
  signal: AbortSignal | undefined,
): Promise<GcsObject> {
  const checksum = new Crc32c();
  for (const part of parts) checksum.update(part);
  const crc32c = checksum.toString();
  const boundary = randomUUID();
  const resource = JSON.stringify({ ...resourceOf(target), crc32c });
  const opening = `--${boundary}\r\ncontent-type: application/json; charset=utf-8\r\n\r\n${resource}\r\n--${boundary}\r\ncontent-type: ${contentType}\r\n\r\n`;
  const answer = await client.json({
    method: 'POST',
    path: `/upload${target.path}`,
    query: { uploadType: 'multipart', ...queryOf(target) },
    headers: { 'content-type': `multipart/related; boundary=${boundary}` },
    body: [Buffer.from(opening), ...parts, Buffer.from(`\r\n--${boundary}--\r\n`)],
    signal,
  });
  return stored(client, target, answer, crc32c);
}

/**
 * Uploads a body of unknown length, holding one chunk in memory. If the body fits into one chunk, uses one request.
 * Otherwise uses a resumable upload, whose object becomes visible only after the last chunk. Cancels the upload if
 * anything fails.
 *
 * The SDK's resumable upload is not used, for these reasons:
 *
 * - It sends no checksum for the store to check.
 * - It sends another chunk after an abort.
 * - It does not cancel a failed upload.
 * - It sends the chunks and the token to any host that the store's response names.
 */
export async function uploadStream(
  client: GcsClient,
  target: GcsTarget,
  body: WatchedBody,
  { chunkSize, signal }: { readonly chunkSize: number; readonly signal: AbortSignal | undefined },
): Promise<GcsObject> {
  const checksum = new Crc32c();
  let session: string | undefined;
  let sent = 0;
  try {
    for await (const chunk of inChunks(body.chunks, chunkSize)) {
      for (const part of chunk.parts) checksum.update(part);
      if (chunk.isLast && session === undefined)
        return await uploadWhole(client, target, chunk.parts, signal);
      session ??= await startSession(client, target, signal);
      const crc32c = chunk.isLast ? checksum.toString() : undefined;
      const answer = await sendChunk(client, { target, session, chunk, start: sent, crc32c, signal });
      if (crc32c !== undefined) return await stored(client, target, answer, crc32c);
      sent += chunk.length;
    }
    throw new Error('unreachable: a body in chunks has a last one');
  } catch (error) {
    if (session !== undefined) await cancel(client, session);
    throw error;
  }
}

/** Starts a resumable upload. Returns the URL path, with its query, to which the chunks must be sent. */
async function startSession(
  client: GcsClient,
  target: GcsTarget,
  signal: AbortSignal | undefined,
): Promise<string> {
  const answer = await client.send({
    method: 'POST',
    path: `/upload${target.path}`,
    query: { uploadType: 'resumable', ...queryOf(target) },
    headers: { 'content-type': 'application/json; charset=utf-8', 'x-upload-content-type': contentType },
    body: [Buffer.from(JSON.stringify(resourceOf(target)))],
    signal,
  });
  answer.resume();
  const location = headerOf(answer, 'location');
  if (location === undefined) throw notTheStore('An upload was started, and the answer has no location');
  // Ignore the host in the response. The chunks are sent with the token, so they must not go to another host.
  const { pathname, search } = new URL(location, 'http://store');
  return `${pathname}${search}`;
}

interface Sending {
  readonly target: GcsTarget;
  readonly session: string;
  readonly chunk: Chunk;
  readonly start: number;
  /**
   * CRC32C of the whole object, sent with the last chunk; undefined for the other chunks. The store checks it before
   * the object becomes visible.
   */
  readonly crc32c: string | undefined;
  readonly signal: AbortSignal | undefined;
}

/**
 * Sends a chunk. If the store kept only part of it, sends the rest again. For the last chunk, returns the store's
 * description of the object; for other chunks, returns undefined.
 */
async function sendChunk(client: GcsClient, sending: Sending): Promise<unknown> {
  const { target, session, chunk, start, crc32c, signal } = sending;
  const end = start + chunk.length;
  for (let at = start; ;) {
    const request = {
      method: 'PUT',
      path: session,
      headers: {
        'content-range': `bytes ${at}-${end - 1}/${chunk.isLast ? end : '*'}`,
        ...(crc32c !== undefined && { 'x-goog-hash': `crc32c=${crc32c}` }),
      },
      body: behind(chunk.parts, at - start),
      signal,
      alsoFine: 308,
    } as const;
    const { object, kept = 0 } = await sendPart(client, request).catch((error: unknown) => {
      throw [404, 410].includes(statusOf(error) ?? 0) ? lost(target.key) : error;
    });
    if (object !== undefined && chunk.isLast) return object;
    if (kept === end && !chunk.isLast) return undefined;
    if (object !== undefined || kept <= at || kept >= end) throw lost(target.key);
    at = kept;
  }
}

/**
 * Sends some or all bytes of a chunk. If they complete the upload, returns the store's description of the object.
 * Otherwise returns how many bytes of the whole upload the store has kept so far.
 */
async function sendPart(
  client: GcsClient,
  request: GcsRequest,
): Promise<{ object?: unknown; kept?: number }> {
  const answer = await client.send(request);
  if (answer.statusCode !== 308) return { object: await readJson(answer) };
  answer.resume();
  const last = /^bytes=0-(\d+)$/.exec(headerOf(answer, 'range') ?? '')?.[1];
  return { kept: last === undefined ? 0 : Number(last) + 1 };
}

/** Removes the first `bytes` bytes from the parts, which together form one sequence of bytes. */
function behind(parts: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let skip = bytes;
  return parts.flatMap((part) => {
    const rest = part.subarray(skip);
    skip = Math.max(0, skip - part.length);
    return rest.length === 0 ? [] : [rest];
  });
}

/** Cancels an upload. Ignores errors, because the store deletes an unfinished upload after a week. */
async function cancel(client: GcsClient, path: string): Promise<void> {
  await client.send({ method: 'DELETE', path, signal: undefined, alsoFine: 499 }).then(
    (answer) => answer.resume(),
    () => undefined,
  );
}

/**
 * Returns the object described by the response to an upload. If the object's CRC32C is not `crc32c`, deletes the object
 * and throws STORAGE_CORRUPT. The delete request specifies the generation (the version) that was just written, so that
 * it cannot delete a newer version from another writer. The SDK would not specify a generation.
 */
async function stored(
  client: GcsClient,
  target: GcsTarget,
  answer: unknown,
  crc32c: string,
): Promise<GcsObject> {
  const object = objectOf(answer);
  if (object.crc32c === undefined || object.crc32c === crc32c) return object;
  const path = `${target.path}/${encodeURIComponent(target.key)}`;
  const query = { generation: object.head.version };
  const removed = await client.send({ method: 'DELETE', path, query, signal: undefined }).then(
    (answered) => answered.resume() !== undefined,
    () => false,
  );
  throw storageError(
    'STORAGE_CORRUPT',
    target.key,
    `The store reports CRC32C ${object.crc32c} for bytes sent with ${crc32c}; the object ${removed ? 'was deleted' : 'could not be deleted'}.`,
  );
}

function lost(key: string): FederationError {
  return storageError('STORAGE_UNAVAILABLE', key, 'The store lost track of a resumable upload.');
}

function resourceOf({ key, metadata }: GcsTarget): object {
  return { name: key, contentType, metadata };
}

function queryOf({ ifAbsent }: GcsTarget): Record<string, string | undefined> {
  return { ifGenerationMatch: ifAbsent ? '0' : undefined, fields: objectFields };
}
