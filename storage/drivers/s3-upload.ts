import { Readable } from 'node:stream';
import type { PutObjectCommandInput, S3 } from '@aws-sdk/client-s3';
import type { WatchedBody } from '../body';
import { storageError } from '../store-failure';

/** Number of parts to send at once. An upload holds about this many parts in memory. */
const partsAtOnce = 4;

/**
 * Sends a body of unknown length: in one request if it fits into one part, otherwise in parts, which are removed if
 * anything fails. The first failure aborts `stop`; the caller must then end the body. Parts that are already being sent
 * may finish (only `signal` aborts them): a part that arrives after the clean-up would revive the upload.
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
  // The library's own abort does not end the requests that it has sent. So `signal` is passed to each of them, except
  // to the clean-up.
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
  // The library's own clean-up does not wait for parts that are still being sent. So clean up again after they have
  // finished.
  const cleanUp = async (UploadId: string) => {
    await Promise.allSettled(sending);
    const { Bucket, Key } = request;
    // Ignore errors, so that the original error is reported. The bucket's lifecycle rule removes parts that remain.
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
    // Releases the body if it has not been read completely.
    stream.destroy();
  }
}

/** Largest body to hold in memory, for a store without multipart uploads. */
const maxWholeBytes = 256 * 1024 * 1024;

/** Sends a body of unknown length in one request, from memory. Throws STORAGE_TOO_LARGE if it has more than 256 MiB. */
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
