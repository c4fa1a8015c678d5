import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { stringify } from 'yaml';
import { readEncryptionKeys } from '../../config/encryption-keys';
import { PayloadEncryption } from '../../config/payload-encryption';
import type { Fault } from '../../config/values';

const folder = mkdtempSync(path.join(os.tmpdir(), 'federated-etl-keys-'));
const file = path.join(folder, 'keys.yaml');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const key = Buffer.alloc(32, 7).toString('base64');

/** Reads a file of keys. Returns the keys, and the details of all faults. */
function read(content: unknown) {
  writeFileSync(file, typeof content === 'string' ? content : stringify(content));
  const faults: Fault[] = [];
  const keys = readEncryptionKeys(file, faults);
  return { keys, faults: faults.map(({ detail }) => detail) };
}

describe('a file of encryption keys', () => {
  test('has one key or several', () => {
    const { keys, faults } = read({
      keys: [
        { id: 'new', key },
        { id: 'old', key },
      ],
    });
    expect(faults).toEqual([]);
    expect(keys.map(({ id }) => id)).toEqual(['new', 'old']);
    expect(keys[0]?.key).toEqual(Buffer.alloc(32, 7));
  });

  test.each<[string, unknown, RegExp]>([
    ['no keys', { keys: [] }, /line 1: keys: /],
    ['nothing', '', /line 1: the file: /],
    ['a key without id', { keys: [{ key }] }, /line 1: keys\.0\.id: /],
    ['a key with an unknown member', { keys: [{ id: 'a', key, kye: 1 }] }, /"kye"/],
    ['a key that is not base64', { keys: [{ id: 'a', key: 'secret!' }] }, /keys\.0\.key: /],
    ['a short key', { keys: [{ id: 'a', key: key.slice(0, 20) }] }, /the key a has 15 bytes instead of 32/],
    [
      'two keys of one id',
      {
        keys: [
          { id: 'a', key },
          { id: 'a', key },
        ],
      },
      /two keys have the id a/,
    ],
    ['no YAML', 'keys: [', /not valid YAML/],
  ])('with %s is refused without showing a key', (_, content, detail) => {
    const { faults } = read(content);
    expect(faults).toEqual([expect.stringMatching(detail)]);
    expect(faults.join()).not.toContain(key.slice(0, 20));
    expect(faults.join()).not.toContain('secret!');
  });

  test('that does not exist is named', () => {
    const faults: Fault[] = [];
    expect(readEncryptionKeys(path.join(folder, 'absent.yaml'), faults)).toEqual([]);
    expect(faults).toEqual([
      { setting: 'temporal.encryptionKeys', detail: expect.stringMatching(/ENOENT.*absent/) },
    ]);
  });
});

describe('payload encryption', () => {
  const one = { id: 'one', key: Buffer.alloc(32, 1) };
  const two = { id: 'two', key: Buffer.alloc(32, 2) };
  const payload = { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('"text"') };
  const encrypted = async () => {
    const [only] = await new PayloadEncryption(() => [one]).encode([payload]);
    return only!;
  };

  test('encrypts with the first key and decrypts with any', async () => {
    const sealed = await encrypted();
    expect(Buffer.from(sealed.data!).includes('text')).toBe(false);
    const [opened] = await new PayloadEncryption(() => [two, one]).decode([sealed]);
    expect(Buffer.from(opened!.data!)).toEqual(payload.data);
    expect(Buffer.from(opened!.metadata!['encoding']!)).toEqual(payload.metadata.encoding);
  });

  test('never encrypts the same text to the same bytes', async () => {
    expect((await encrypted()).data).not.toEqual((await encrypted()).data);
  });

  test('leaves payloads alone without keys, and plain ones with keys', async () => {
    expect(await new PayloadEncryption(() => []).encode([payload])).toEqual([payload]);
    expect(await new PayloadEncryption(() => [one]).decode([payload])).toEqual([payload]);
  });

  type Sealed = Awaited<ReturnType<typeof encrypted>>;
  const missing = 'TEMPORAL_KEY_MISSING';
  const differs = 'TEMPORAL_KEY_DIFFERS';
  test.each<[string, string, (sealed: Sealed) => void]>([
    ['a changed byte', differs, ({ data }) => void (data![20]! ^= 1)],
    ['another key id', differs, ({ metadata }) => void (metadata!['encryption-key-id'] = Buffer.from('two'))],
    [
      'an unknown id',
      missing,
      ({ metadata }) => void (metadata!['encryption-key-id'] = Buffer.from('three')),
    ],
    ['no key id', missing, ({ metadata }) => void delete metadata!['encryption-key-id']],
    ['no data', differs, (sealed) => void delete sealed.data],
    ['a part of its data', differs, (sealed) => void (sealed.data = sealed.data!.slice(0, 20))],
  ])('refuses %s: %s', async (_, code, damage) => {
    const sealed = await encrypted();
    damage(sealed);
    await expect(new PayloadEncryption(() => [one, two]).decode([sealed])).rejects.toMatchObject({ code });
  });

  test('says which key has another secret, without showing a secret', async () => {
    const other = { id: 'one', key: Buffer.alloc(32, 3) };
    const sealed = await encrypted();
    const error: unknown = await new PayloadEncryption(() => [other])
      .decode([sealed])
      .catch((why: unknown) => why);
    expect(error).toMatchObject({ code: differs, detail: expect.stringMatching(/secret of the key "one"/) });
    for (const { key: secret } of [one, other])
      for (const encoding of ['base64', 'hex', 'latin1'] as const)
        expect(inspect(error, { depth: 9 })).not.toContain(Buffer.from(secret).toString(encoding));
  });
});
