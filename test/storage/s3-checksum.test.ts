import { randomUUID } from 'node:crypto';
import type { Bucket } from '../../storage/bucket';
import { parseFederatedStore } from '../../storage/federated-store';
import { openBucket } from '../../storage/open-bucket';
import { readAll } from '../../storage/read-all';
import { connectToS3, describeWithS3, s3Settings } from '../servers/versitygw';
import { type DemandingProxy, startDemandingProxy } from './demanding-proxy';

const mebibyte = 1024 * 1024;

describeWithS3('a bucket that demands checksums', () => {
  const name = `b-${randomUUID()}`;
  let proxy: DemandingProxy;
  beforeAll(async () => {
    const server = await connectToS3();
    await server.createBucket(name);
    proxy = await startDemandingProxy(server.endpoint);
  });
  afterAll(() => proxy.close());
  beforeEach(() => (proxy.sums.length = 0));

  async function using(settings: object, use: (bucket: Bucket) => Promise<void>): Promise<void> {
    const config = {
      ...s3Settings(await connectToS3(), name),
      endpoint: proxy.host,
      part_size: 5 * mebibyte,
      ...settings,
    };
    const bucket = await openBucket(parseFederatedStore(JSON.stringify({ type: 'S3', config }), 'f.yaml'));
    try {
      await use(bucket);
    } finally {
      await bucket.close();
    }
  }

  async function* streamOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(bytes);
  }

  test.each([
    [{ send_content_md5: true }, 'content-md5'],
    [{ checksum: 'md5' }, 'content-md5'],
    [{ checksum: 'crc32' }, 'x-amz-checksum-crc32'],
  ])('takes whole puts, parts and creates with %j', async (settings, sum) => {
    const large = Buffer.alloc(5 * mebibyte + 1, 'x');
    const key = randomUUID();
    await using(settings, async (bucket) => {
      await bucket.put(`${key}/whole`, Buffer.from('whole'));
      await bucket.put(`${key}/stream`, streamOf(Buffer.from('stream')));
      await bucket.put(`${key}/parts`, streamOf(large));
      await bucket.create(`${key}/created`, Buffer.from('created'));
      await expect(bucket.create(`${key}/created`, Buffer.from('again'))).rejects.toMatchObject({
        code: 'STORAGE_PRECONDITION_FAILED',
      });
      await bucket.copy(`${key}/whole`, `${key}/copy`);
      expect((await readAll(bucket, `${key}/parts`)).bytes.equals(large)).toBe(true);
      expect((await readAll(bucket, `${key}/copy`)).bytes.toString()).toBe('whole');
      // Six requests had a body: two parts of an upload, and four whole objects, one of which the server refused.
      expect(proxy.sums).toEqual(Array(6).fill(sum));
    });
    await using({ ...settings, disable_multipart: true }, async (bucket) => {
      await bucket.put(`${key}/whole`, streamOf(large));
    });
    expect(proxy.sums).toEqual(Array(7).fill(sum));
  });

  test.each([
    ['whole puts', (bucket: Bucket) => bucket.put('k', Buffer.from('x'))],
    ['creates', (bucket: Bucket) => bucket.create('k', Buffer.from('x'))],
    ['parts', (bucket: Bucket) => bucket.put('k', streamOf(Buffer.alloc(5 * mebibyte + 1)))],
  ])('refuses %s without, and the error says what to set', async (_, act) => {
    await using({}, async (bucket) => {
      await expect(act(bucket)).rejects.toMatchObject({
        code: 'STORE_CONFIG_INVALID',
        retryable: false,
        hint: expect.stringMatching(/Object Lock.*config\.checksum .*crc32/) as string,
      });
    });
  });
});
