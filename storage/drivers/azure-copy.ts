import { randomBytes } from 'node:crypto';
import type { BlockBlobClient } from '@azure/storage-blob' with { 'resolution-mode': 'import' };
import { mapConcurrently } from '../../concurrency/map-concurrently';
import type { ObjectHead } from '../bucket';
import { changed } from '../store-failure';
import { fromAzureMetadata, ifMatch, toAzureMetadata } from './azure-answers';
import type { AzureConnection } from './azure-client';
import { statusOf } from './azure-errors';

/** Maximum number of bytes that Azure copies in one request. */
export const maxCopyBytes = 256 * 1024 * 1024;
/** Number of blocks to copy concurrently. The store does the copying, so this process needs no memory for it. */
const blocksAtOnce = 4;

/**
 * Copies an object and its metadata inside the store. Copies an object of up to `blockSize` bytes in one request, and a
 * larger one in blocks of that size. Throws STORAGE_CONFLICT if the object no longer has the version in `source`.
 */
export async function copyBlob(
  store: AzureConnection,
  {
    from,
    to,
    source,
    blockSize,
  }: { from: BlockBlobClient; to: BlockBlobClient; source: ObjectHead; blockSize: number },
  abortSignal: AbortSignal | undefined,
): Promise<{ etag?: string; lastModified?: Date }> {
  const url = await store.readableUrl(from);
  const sourceAuthorization = await store.sourceToken();
  const sourceConditions = ifMatch(source.version);
  try {
    if (source.size <= blockSize)
      return await to.syncCopyFromURL(url, { abortSignal, sourceConditions, sourceAuthorization });
    const upload = randomBytes(16).toString('hex');
    const starts = Array.from(
      { length: Math.ceil(source.size / blockSize) },
      (_, index) => index * blockSize,
    );
    const ids = await mapConcurrently(starts, blocksAtOnce, async (start, index) => {
      const id = Buffer.from(`${upload}-${String(index).padStart(6, '0')}`).toString('base64');
      const count = Math.min(blockSize, source.size - start);
      await to.stageBlockFromURL(id, url, start, count, { abortSignal, sourceAuthorization });
      return id;
    });
    // The requests that copied the blocks did not check the source's version. So check now that the source was not
    // replaced in the meantime.
    const { etag, metadata, contentMD5 } = await from.getProperties({
      abortSignal,
      conditions: sourceConditions,
    });
    if (etag === undefined) throw changed(source.key);
    return await to.commitBlockList(ids, {
      abortSignal,
      metadata: toAzureMetadata(fromAzureMetadata(metadata)),
      blobHTTPHeaders: { blobContentMD5: contentMD5 },
    });
  } catch (error) {
    throw statusOf(error) === 412 ? changed(source.key) : error;
  }
}
