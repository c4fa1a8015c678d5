import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { loadSettings } from '../../config/settings';
import { SettingsRenewal } from '../../config/settings-renewal';
import { mountFile } from '../storage/mounted-file';
import { removeTemporaryFolders, temporaryFolder } from '../storage/temporary-folder';

afterAll(removeTemporaryFolders);

it('a mounted folder of read tokens is followed, unless one of them cannot be used', () => {
  const folder = temporaryFolder();
  const mounted = temporaryFolder();
  const file = join(folder, 'federated-etl.yaml');
  writeFileSync(
    file,
    `clusterId: cluster-1\nfederatedETL: { primaryCluster: true }\nstorage: { configFile: ${file} }\n` +
      `api: { token: sesame, readTokensPath: ${mounted} }\n`,
  );
  const grafana = mountFile(mounted, 'grafana', 'one\n');
  const lines: string[] = [];
  const note = (_: object, message: string) => void lines.push(message);
  const log = { info: note, warn: note } as unknown as ConstructorParameters<typeof SettingsRenewal>[1];
  const read = () => loadSettings({ file, env: {} });
  const renewal = new SettingsRenewal(read(), log, read);
  const after = (change: () => void) => {
    change();
    renewal.look();
    renewal.look();
    return [renewal.readTokens.map(({ name, token }) => `${name}=${token}`).join(), ...lines.splice(0)];
  };
  const put = (name: string, content: string) => writeFileSync(join(mounted, name), content);
  expect(after(() => undefined)).toEqual(['grafana=one']);
  const renewed = (names: string) => `The read tokens have changed. These are valid from now on: ${names}.`;
  expect(after(() => grafana.write(' two '))).toEqual(['grafana=two', renewed('grafana')]);
  expect(after(() => put('billing', 'three'))).toEqual([
    'billing=three,grafana=two',
    renewed('billing, grafana'),
  ]);
  const kept = 'billing=three,grafana=two';
  const refusals: [string, string, RegExp][] = [
    ['billing', '', /billing has no token/],
    ['billing', 'th ree', /billing has no token/],
    ['billing', 'two', /billing and grafana are the same/],
    ['billing', 'sesame', /billing is the operator token/],
    ['bil ling', 'four', /"bil ling" in .* cannot name a token/],
  ];
  for (const [name, content, why] of refusals) {
    expect(after(() => put(name, content))).toEqual([kept, expect.stringMatching(why)]);
    expect(() => read()).not.toThrow(/sesame|th ree|'two'|four/);
    if (name !== 'billing') rmSync(join(mounted, name));
    put('billing', 'three');
    expect(after(() => undefined)).toEqual([kept]);
  }
  expect(after(() => rmSync(join(mounted, 'billing')))).toEqual(['grafana=two', renewed('grafana')]);
  expect(after(() => rmSync(mounted, { recursive: true }))).toEqual([
    'grafana=two',
    expect.stringMatching(/folder of the read tokens .* cannot be read: ENOENT/),
  ]);
});

it('a mounted settings file with another token is followed, unless it cannot be used', () => {
  const text = (token: string, namespace = 'default') =>
    `clusterId: cluster-1\ntemporal: { namespace: ${namespace} }\napi: { token: ${token} }\n`;
  const file = mountFile(temporaryFolder(), 'federated-etl.yaml', text('one'));
  const lines: string[] = [];
  const note = ({ event }: object & { event?: string }) => void lines.push(event ?? '');
  const log = { info: note, warn: note } as unknown as ConstructorParameters<typeof SettingsRenewal>[1];
  const read = () => loadSettings({ file: file.path, env: {} });
  const renewal = new SettingsRenewal(read(), log, read);
  const after = (content: string) => {
    file.write(content);
    renewal.look();
    renewal.look();
    return [renewal.token, renewal.temporal.namespace, ...lines.splice(0)];
  };
  expect(after(text('one'))).toEqual(['one', 'default']);
  expect(after(text('two'))).toEqual(['two', 'default', 'settings.renewed']);
  expect(after('clusterId: cluster-1\napi: { token: thr')).toEqual([
    'two',
    'default',
    'settings.not-renewed',
  ]);
  // An empty file is valid YAML, but must be refused, because it has no cluster id.
  expect(after('')).toEqual(['two', 'default', 'settings.not-renewed']);
  expect(after(text('three'))).toEqual(['three', 'default', 'settings.renewed']);
  expect(after(text('three', 'other'))).toEqual(['three', 'default', 'settings.not-renewed']);
});

describe('a mounted file of encryption keys', () => {
  const secret = (byte: number) => Buffer.alloc(32, byte).toString('base64');
  const text = (keys: Record<string, number>) =>
    stringify({ keys: Object.entries(keys).map(([id, byte]) => ({ id, key: secret(byte) })) });

  /**
   * Starts with the key `a`, which is in use unless the process still checks it. Returns a function that replaces the
   * file and then looks at it twice.
   */
  function world(inUse = true) {
    const folder = temporaryFolder();
    const keys = mountFile(folder, 'keys.yaml', text({ a: 1 }));
    const file = join(folder, 'federated-etl.yaml');
    writeFileSync(file, `clusterId: cluster-1\ntemporal: { encryptionKeys: ${keys.path} }\n`);
    const lines: string[] = [];
    const note = ({ event }: { event?: string }, message: string) => void lines.push(`${event} ${message}`);
    const log = { info: note, warn: note } as unknown as ConstructorParameters<typeof SettingsRenewal>[1];
    const read = () => loadSettings({ file, env: {} });
    const renewal = new SettingsRenewal(read(), log, read);
    if (inUse) renewal.keepSecrets();
    return (content: Record<string, number>) => {
      keys.write(text(content));
      const refused = [renewal.look(), renewal.look()].map((error) => error?.code);
      const used = renewal.temporal.encryptionKeys.map(({ id, key }) => `${id}${key[0]}`).join();
      return { used, refused: [...new Set(refused)], lines: lines.splice(0) };
    };
  }
  const differs = (id: string): unknown[] => [
    expect.stringMatching(
      new RegExp(`^settings.not-renewed .*TEMPORAL_KEY_DIFFERS: The secret of the key "${id}" has changed`),
    ),
  ];
  const renewed = [expect.stringMatching(/^settings.renewed/)];

  test('is followed as long as each id keeps its secret', () => {
    const after = world();
    expect(after({ b: 2, a: 1 })).toEqual({ used: 'b2,a1', refused: [undefined], lines: renewed });
    expect(after({ b: 2 })).toEqual({ used: 'b2', refused: [undefined], lines: renewed });
    expect(after({ b: 2, a: 1 })).toEqual({ used: 'b2,a1', refused: [undefined], lines: renewed });
  });

  test.each<[string, Record<string, number>, string]>([
    ['the key that encrypts', { a: 9 }, 'a'],
    ['a key below a new one', { b: 2, a: 9 }, 'a'],
  ])('is not followed if it has another secret for %s', (_, content, id) => {
    const after = world();
    const refused = ['TEMPORAL_KEY_DIFFERS'];
    expect(after(content)).toEqual({ used: 'a1', refused, lines: differs(id) });
    expect(after({ b: 2, a: 1 })).toEqual({ used: 'b2,a1', refused: [undefined], lines: renewed });
  });

  test('is followed whatever its secrets are, as long as the keys are not in use', () => {
    const after = world(false);
    expect(after({ a: 9 })).toEqual({ used: 'a9', refused: [undefined], lines: renewed });
  });

  test('is not followed if a key that was removed comes back with another secret', () => {
    const after = world();
    after({ b: 2 });
    expect(after({ b: 2, a: 9 })).toMatchObject({ used: 'b2', lines: differs('a') });
  });
});

it('a changed token of the codec endpoint is followed', () => {
  const folder = temporaryFolder();
  const keys = join(folder, 'keys.yaml');
  writeFileSync(keys, stringify({ keys: [{ id: 'a', key: Buffer.alloc(32, 1).toString('base64') }] }));
  const file = join(folder, 'federated-etl.yaml');
  const write = (token: string) =>
    writeFileSync(
      file,
      `clusterId: c1\nfederatedETL: { federatedCluster: true }\nstorage: { configFile: ${keys} }\n` +
        `temporal: { encryptionKeys: ${keys}, codec: { listen: ':9005', token: ${token} } }\n`,
    );
  write('one');
  const lines: string[] = [];
  const note = (_: object, message: string) => void lines.push(message);
  const log = { info: note, warn: note } as unknown as ConstructorParameters<typeof SettingsRenewal>[1];
  const read = () => loadSettings({ file, env: {} });
  const renewal = new SettingsRenewal(read(), log, read);
  expect(renewal.codecToken).toBe('one');
  write('two');
  renewal.look();
  expect(renewal.codecToken).toBe('two');
  expect(lines).toEqual(['temporal.codec.token has changed and is used from now on.']);
});
