import { randomBytes, randomUUID } from 'node:crypto';
import { ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { openS3 } from '../../storage/drivers/s3';
import { parseFederatedStore } from '../../storage/federated-store';
import { readAll } from '../../storage/read-all';
import { connectToS3, describeWithS3, s3Settings } from '../servers/versitygw';

const mebibyte = 1024 * 1024;

describeWithS3('large objects of S3', () => {
  const open = async (settings: object, copyPartSize?: number) => {
    const server = await connectToS3();
    const name = `b-${randomUUID()}`;
    await server.createBucket(name);
    const config = { ...s3Settings(server, name), ...settings };
    const store = parseFederatedStore(JSON.stringify({ type: 'S3', config }), 'f.yaml');
    if (store.type !== 'S3') throw new Error('not S3');
    const client = new S3Client({
      endpoint: server.endpoint,
      region: server.region,
      credentials: { accessKeyId: server.accessKey, secretAccessKey: server.secretKey },
      forcePathStyle: true,
    });
    const orphans = async () => {
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: name }));
      return Uploads.length;
    };
    const bucket = await openS3(store.config, { copyPartSize });
    return {
      bucket,
      orphans,
      async [Symbol.asyncDispose]() {
        client.destroy();
        await bucket.close();
      },
    };
  };
  async function* slices(bytes: Uint8Array) {
    for (let at = 0; at < bytes.length; at += mebibyte) {
      await Promise.resolve();
      yield bytes.subarray(at, at + mebibyte);
    }
  }

  test('are copied in parts, including metadata', async () => {
    await using store = await open({}, 5 * mebibyte);
    const { bucket } = store;
    const bytes = randomBytes(12 * mebibyte + 1);
    await bucket.put('from/a b', slices(bytes), { metadata: { sha256: 'abc' } });
    const info = await bucket.copy('from/a b', 'to');
    expect(info.size).toBe(bytes.length);
    expect(await bucket.head('to')).toMatchObject({ version: info.version, metadata: { sha256: 'abc' } });
    expect((await readAll(bucket, 'to')).bytes.equals(bytes)).toBe(true);
    expect(await store.orphans()).toBe(0);
  });

  test('leave no parts behind if their body breaks off or their create loses', async () => {
    await using store = await open({ part_size: 5 * mebibyte });
    const { bucket } = store;
    await bucket.put('there', Buffer.from('x'));
    async function* breaks() {
      yield* slices(randomBytes(13 * mebibyte));
      throw new Error('the disk is gone');
    }
    await expect(bucket.put('new', breaks())).rejects.toThrow('the disk is gone');
    await expect(bucket.create('there', slices(randomBytes(13 * mebibyte)))).rejects.toMatchObject({
      code: 'STORAGE_PRECONDITION_FAILED',
    });
    expect(await store.orphans()).toBe(0);
  });

  test('are sent in one request if parts are disabled', async () => {
    await using store = await open({ part_size: 5 * mebibyte, disable_multipart: true });
    const { bucket } = store;
    const bytes = randomBytes(6 * mebibyte);
    const { version } = await bucket.put('whole', slices(bytes));
    // The object was uploaded in one request: the ETag of a multipart upload would end with the number of parts.
    expect(version).toMatch(/^"[0-9a-f]{32}"$/);
    expect((await readAll(bucket, 'whole')).bytes.equals(bytes)).toBe(true);
    const mebibytes = Buffer.alloc(mebibyte);
    async function* endless() {
      for (;;) {
        await Promise.resolve();
        yield mebibytes;
      }
    }
    await expect(bucket.put('too large', endless())).rejects.toMatchObject({ code: 'STORAGE_TOO_LARGE' });
    expect(await bucket.head('too large')).toBeUndefined();
  });
});
