import { createHash, randomBytes } from 'node:crypto';
import type { BlobRequestConditions, BlockBlobClient } from '@azure/storage-blob' with {
  'resolution-mode': 'import',
};
import type { WatchedBody } from '../body';
import { inChunks } from '../in-chunks';

/** Size of a block in a streamed upload, in bytes. An upload holds about `blocksAtOnce` blocks in memory. */
const blockSize = 8 * 1024 * 1024;
const blocksAtOnce = 4;
const contentType = 'application/octet-stream';

export interface AzureTarget {
  readonly blob: BlockBlobClient;
  readonly metadata: Record<string, string>;
  readonly conditions: BlobRequestConditions;
}

/**
 * Uploads bytes in one request, with their MD5. The store checks the MD5 before the object becomes visible, and saves
 * it with the object.
 */
export async function uploadWhole(
  { blob, metadata, conditions }: AzureTarget,
  bytes: Uint8Array,
  abortSignal: AbortSignal | undefined,
): Promise<{ etag?: string; lastModified?: Date }> {
  const md5 = md5Of(bytes);
  return blob.upload(bytes, bytes.length, {
    abortSignal,
    conditions,
    metadata,
    blobHTTPHeaders: { blobContentType: contentType, blobContentMD5: md5 },
    transactionalContentMD5: md5,
  });
}

/**
 * Uploads a body of unknown length. If it fits into one block, uses one request. Otherwise uploads it in blocks, which
 * stay invisible until they are committed. The store checks the MD5 of each block. If the upload fails, its blocks
 * never become visible, and the store deletes them after a week.
 */
export async function uploadStream(
  target: AzureTarget,
  body: WatchedBody,
  abortSignal: AbortSignal | undefined,
): Promise<{ etag?: string; lastModified?: Date }> {
  const { blob, metadata, conditions } = target;
  const md5 = createHash('md5');
  // Put this random text into the id of every block, so that concurrent uploads of the same key cannot mix their
  // blocks. Azure requires that all ids have the same length.
  const upload = randomBytes(16).toString('hex');
  const ids: string[] = [];
  const stop = new AbortController();
  const signal = abortSignal === undefined ? stop.signal : AbortSignal.any([abortSignal, stop.signal]);
  const sending = new Set<Promise<void>>();
  let failed: { error: unknown } | undefined;
  const send = (block: Buffer): void => {
    const id = Buffer.from(`${upload}-${String(ids.length).padStart(6, '0')}`).toString('base64');
    ids.push(id);
    const options = { abortSignal: signal, transactionalContentMD5: md5Of(block) };
    const sent = blob.stageBlock(id, block, block.length, options).then(
      () => void sending.delete(sent),
      (error: unknown) => {
        sending.delete(sent);
        failed ??= { error };
        stop.abort();
      },
    );
    sending.add(sent);
  };
  const throwFailure = () => {
    if (failed !== undefined) throw failed.error;
  };
  try {
    for await (const { parts, isLast } of inChunks(body.chunks, blockSize)) {
      const block = Buffer.concat(parts);
      if (isLast && ids.length === 0) return await uploadWhole(target, block, abortSignal);
      md5.update(block);
      if (block.length > 0) send(block);
      while (sending.size >= blocksAtOnce) await Promise.race(sending);
      throwFailure();
    }
    await Promise.all(sending);
    throwFailure();
    return await blob.commitBlockList(ids, {
      abortSignal,
      conditions,
      metadata,
      blobHTTPHeaders: { blobContentType: contentType, blobContentMD5: md5.digest() },
    });
  } finally {
    stop.abort();
    await Promise.all(sending);
  }
}

function md5Of(bytes: Uint8Array): Buffer {
  return createHash('md5').update(bytes).digest();
}
