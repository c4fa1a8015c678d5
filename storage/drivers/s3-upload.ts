import { Readable } from 'node:stream';
import type { PutObjectCommandInput, S3 } from '@aws-sdk/client-s3';
import type { WatchedBody } from '../body';
import { storageError } from '../store-failure';

/** Number of parts to send concurrently. An upload holds about this many parts in memory. */
const partsAtOnce = 4;

/**
 * Uploads a body of unknown length: in one request if it fits into one part, otherwise in parts. `signal` aborts the
 * upload. If a request fails, this function aborts `stop`, and the caller must then end the body.
 *
 * After any failure, the uploaded parts are removed from the store. The removal waits for parts that are still being
 * sent, because the store might keep a part that arrives later.
 */
export async function upload(
  client: S3,
  request: Omit<PutObjectCommandInput, 'Body'>,
  body: WatchedBody,
  options: {
    readonly partSize: number;
    readonly stop: AbortController;
    readonly signal: AbortSignal | undefined;
  },
): Promise<{ ETag?: string }> {
  const [{ Upload }, { AbortMultipartUploadCommand, CreateMultipartUploadCommand }] = await Promise.all([
    import('@aws-sdk/lib-storage'),
    import('@aws-sdk/client-s3'),
  ]);
  const sending = new Set<Promise<unknown>>();
  let begun: string | undefined;
  // Pass `signal` to every request, because aborting the SDK's upload does not abort requests that it has already sent.
  // The only exception is the request that removes the parts: it must be sent even after an abort.
  const stoppable = Object.assign(Object.create(client) as S3, {
    send: async (command: Parameters<S3['send']>[0]) => {
      const isCleanUp = command instanceof AbortMultipartUploadCommand;
      const sent = client.send(command, isCleanUp ? {} : { abortSignal: options.signal });
      sending.add(sent);
      try {
        const answer = await sent;
        if (command instanceof CreateMultipartUploadCommand)
          begun = (answer as { UploadId?: string }).UploadId;
        return answer;
      } catch (error) {
        options.stop.abort(error);
        throw error;
      } finally {
        sending.delete(sent);
      }
    },
  });
  // The SDK removes the parts without waiting for those that are still being sent. So wait for them, and then remove
  // the parts again.
  const cleanUp = async (UploadId: string) => {
    await Promise.allSettled(sending);
    const { Bucket, Key } = request;
    // Ignore errors, so that the original error is reported. The bucket's lifecycle rule for incomplete uploads then
    // removes the parts.
    await client.abortMultipartUpload({ Bucket, Key, UploadId }).catch(() => undefined);
  };
  const stream = Readable.from(body.chunks, { objectMode: false });
  try {
    return await new Upload({
      client: stoppable,
      params: { ...request, Body: stream },
      partSize: options.partSize,
      queueSize: partsAtOnce,
    }).done();
  } catch (error) {
    if (begun !== undefined) await cleanUp(begun);
    throw error;
  } finally {
    // Release the body in case it has not been read to the end.
    stream.destroy();
  }
}

/** Maximum size of a body that is uploaded without a multipart upload, in bytes. The whole body is held in memory. */
const maxWholeBytes = 256 * 1024 * 1024;

/**
 * Reads a body of unknown length into memory and uploads it in one request. Throws STORAGE_TOO_LARGE if the body has
 * more than 256 MiB.
 */
export async function uploadWhole(
  client: S3,
  request: Omit<PutObjectCommandInput, 'Body'>,
  body: WatchedBody,
  abortSignal: AbortSignal,
): Promise<{ ETag?: string }> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body.chunks) {
    if (body.size() > maxWholeBytes) {
      throw storageError(
        'STORAGE_TOO_LARGE',
        request.Key ?? '',
        `With config.disable_multipart a stream is sent whole, up to ${maxWholeBytes} bytes; this one has more.`,
      );
    }
    chunks.push(chunk);
  }
  return client.putObject({ ...request, Body: Buffer.concat(chunks) }, { abortSignal });
}
