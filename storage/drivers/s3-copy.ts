import type { CompletedPart, CopyObjectCommandInput, S3 } from '@aws-sdk/client-s3';
import { mapConcurrently } from '../../concurrency/map-concurrently';
import type { ObjectHead } from '../bucket';
import { changed } from '../store-failure';
import { statusOf } from './s3-errors';

/** Largest number of bytes that one request can copy. It is also the largest size of a part. */
export const maxCopyBytes = 5 * 1024 ** 3;
/** Number of parts to copy at once. The store does the work, not this process. */
const partsAtOnce = 4;

type Target = Omit<CopyObjectCommandInput, 'CopySource'>;
interface Copied {
  readonly ETag?: string;
  readonly LastModified?: Date;
}

/**
 * Copies an object inside the store, in one request if it has up to `partSize` bytes, otherwise in parts of that size,
 * which are removed if anything fails. Throws STORAGE_CONFLICT if the source no longer has the version in `source`.
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
  // A copy in one request includes the metadata. A multipart upload needs it as a parameter.
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
    // Ignore errors, so that the original error is reported. The bucket's lifecycle rule removes parts that remain.
    await client.abortMultipartUpload(upload).catch(() => undefined);
    throw error;
  }
}
