import type { CompletedPart, CopyObjectCommandInput, S3 } from '@aws-sdk/client-s3';
import { mapConcurrently } from '../../concurrency/map-concurrently';
import type { ObjectHead } from '../bucket';
import { changed } from '../store-failure';
import { statusOf } from './s3-errors';

/** Maximum number of bytes that one request can copy. It is also the maximum size of a part. */
export const maxCopyBytes = 5 * 1024 ** 3;
/** Number of parts to copy concurrently. The store does the copying, so this process needs no memory for it. */
const partsAtOnce = 4;

type Target = Omit<CopyObjectCommandInput, 'CopySource'>;
interface Copied {
  readonly ETag?: string;
  readonly LastModified?: Date;
}

/**
 * Copies an object inside the store. Copies up to `partSize` bytes in one request, and a larger object in parts of that
 * size. If anything fails, removes the parts. Throws STORAGE_CONFLICT if the object no longer has the version in
 * `source`.
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
  // A copy in one request includes the metadata. A copy in parts does not, so pass the metadata here.
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
    // Remove the parts. If this fails too, ignore its error, so that the original error is reported. The bucket's
    // lifecycle rule for incomplete uploads then removes the parts.
    await client.abortMultipartUpload(upload).catch(() => undefined);
    throw error;
  }
}
