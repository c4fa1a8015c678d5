import type { CompletedPart, CopyObjectCommandInput, S3 } from '@aws-sdk/client-s3';
import { mapConcurrently } from '../../concurrency/map-concurrently';
import type { ObjectHead } from '../bucket';
import { changed } from '../store-failure';
import { statusOf } from './s3-errors';

/** Most bytes that one request can copy; also the largest part size. */
export const maxCopyBytes = 5 * 1024 ** 3;
/** Parts copied at once: the store does the work. */
const partsAtOnce = 4;

type Target = Omit<CopyObjectCommandInput, 'CopySource'>;
interface Copied {
  readonly ETag?: string;
  readonly LastModified?: Date;
}

/**
 * Copies an object inside the store: in one request up to `partSize` bytes, else in parts of that size, which are removed
 * if anything fails. Throws STORAGE_CONFLICT if the source is no longer the version in `source`.
 */
export async function copyObject(
  client: S3,
  {
    bucket,
    source,
    target,
    partSize,
  }: { bucket: string; source: ObjectHead; target: Target; partSize: number },
  abortSignal: AbortSignal | undefined,
): Promise<Copied> {
  const from = {
    CopySource: [bucket, ...source.key.split('/')].map(encodeURIComponent).join('/'),
    CopySourceIfMatch: source.version,
  };
  try {
    if (source.size > partSize) return await copyParts(client, from, source, target, partSize, abortSignal);
    return (await client.copyObject({ ...target, ...from }, { abortSignal })).CopyObjectResult ?? {};
  } catch (error) {
    throw statusOf(error) === 412 ? changed(source.key) : error;
  }
}

async function copyParts(
  client: S3,
  from: { CopySource: string; CopySourceIfMatch: string },
  source: ObjectHead,
  target: Target,
  partSize: number,
  abortSignal: AbortSignal | undefined,
): Promise<Copied> {
  const {
    CopySourceSSECustomerAlgorithm,
    CopySourceSSECustomerKey,
    SSECustomerAlgorithm,
    SSECustomerKey,
    Bucket,
    Key,
  } = target;
  // A single-request copy includes the metadata; a multipart upload needs it explicitly.
  const created = await client.createMultipartUpload(
    { ...target, Metadata: { ...source.metadata } },
    { abortSignal },
  );
  const upload = { Bucket, Key, UploadId: created.UploadId };
  const copyPart = async (index: number): Promise<CompletedPart> => {
    const start = index * partSize;
    const end = Math.min(source.size, start + partSize) - 1;
    const PartNumber = index + 1;
    const { CopyPartResult } = await client.uploadPartCopy(
      {
        ...upload,
        ...from,
        CopySourceSSECustomerAlgorithm,
        CopySourceSSECustomerKey,
        SSECustomerAlgorithm,
        SSECustomerKey,
        PartNumber,
        CopySourceRange: `bytes=${start}-${end}`,
      },
      { abortSignal },
    );
    return { PartNumber, ETag: CopyPartResult?.ETag };
  };
  try {
    const indexes = Array.from({ length: Math.ceil(source.size / partSize) }, (_, index) => index);
    const Parts = await mapConcurrently(indexes, partsAtOnce, copyPart);
    return await client.completeMultipartUpload({ ...upload, MultipartUpload: { Parts } }, { abortSignal });
  } catch (error) {
    // Report the original error; the bucket's lifecycle rule removes remaining parts.
    await client.abortMultipartUpload(upload).catch(() => undefined);
    throw error;
  }
}
