import { Readable } from 'node:stream';
import type { PutObjectCommandInput, S3 } from '@aws-sdk/client-s3';
import type { WatchedBody } from '../body';
import { storageError } from '../store-failure';

/** Parts on their way at once; with the size of a part, this bounds the memory of an upload. */
const partsAtOnce = 4;

/**
 * Sends a body of unknown length: in one request when it fits into one part, else in parts, which are removed when
 * anything fails. The first failure aborts `stop`, which `signal` has to follow: it ends the other parts and the body.
 */
export async function upload(
  client: S3,
  request: Omit<PutObjectCommandInput, 'Body'>,
  body: WatchedBody,
  options: { readonly partSize: number; readonly stop: AbortController; readonly signal: AbortSignal },
): Promise<{ ETag?: string }> {
  const [{ Upload }, { AbortMultipartUploadCommand }] = await Promise.all([
    import('@aws-sdk/lib-storage'),
    import('@aws-sdk/client-s3'),
  ]);
  // The library's own abort leaves requests running behind it. So its requests are ended here, but for the clean-up.
  const stoppable = Object.assign(Object.create(client) as S3, {
    send: async (command: Parameters<S3['send']>[0]) => {
      const isCleanUp = command instanceof AbortMultipartUploadCommand;
      try {
        const { signal } = options;
        return await client.send(command, isCleanUp ? {} : { abortSignal: signal });
      } catch (error) {
        options.stop.abort(error);
        throw error;
      }
    },
  });
  const stream = Readable.from(body.chunks, { objectMode: false });
  try {
    return await new Upload({
      client: stoppable,
      params: { ...request, Body: stream },
      partSize: options.partSize,
      queueSize: partsAtOnce,
    }).done();
  } finally {
    // Lets go of what is behind the body when not all of it was read.
    stream.destroy();
  }
}

/** What is held in memory for a store that takes no uploads in parts. */
const maxWholeBytes = 256 * 1024 * 1024;

/** Sends a body of unknown length in one request, from memory. STORAGE_TOO_LARGE above 256 MiB. */
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
