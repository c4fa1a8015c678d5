import { readDocument, readIntact } from '../../federation/document';
import { documents } from '../../federation/documents';
import type { Generation } from '../../federation/generation';
import { windowEntries } from '../../federation/generation-entry';
import { openFilesystem } from '../../storage/drivers/filesystem';
import { removeTemporaryFolders, temporaryFolder } from '../storage/temporary-folder';
import { dayWindow, generation, membership, quarantinedSource, used } from './made-up';

afterAll(removeTemporaryFolders);

const one = dayWindow(1);
const good = generation({ [one]: [used('a')] }, membership(['a']), {
  quarantined: [quarantinedSource('a', one)],
});
const bucket = openFilesystem({ directory: temporaryFolder() });

/** A generation as stored in the bucket, before its ids are checked. */
interface Unchecked {
  membership: { clusters: string[]; excluded: Record<string, object> };
  quarantined: { cluster: string; window: string }[];
}

async function readBack(change: (document: Unchecked) => void): Promise<Generation | undefined> {
  const document = JSON.parse(JSON.stringify(good)) as Unchecked;
  change(document);
  const at = documents.generation.at(1);
  await bucket.put(at.key, Buffer.from(JSON.stringify(document)));
  return readDocument(bucket, at);
}

test.each<[string, (document: Unchecked) => void]>([
  ['a cluster that leaves its folder', (it) => (it.quarantined[0]!.cluster = '../a')],
  ['a cluster with the name of the output', (it) => it.membership.clusters.push('combined')],
  ['a cluster that cannot be a key', (it) => it.membership.clusters.push('__proto__')],
  [
    'an excluded cluster with a slash',
    (it) => (it.membership.excluded['a/b'] = { by: 'person', reason: '' }),
  ],
  ['a quarantined window that is none', (it) => (it.quarantined[0]!.window = `../${one}`)],
  ['a window named after a property', (it) => (it.quarantined[0]!.window = 'constructor')],
])('a generation is unreadable with %s', async (_, change) => {
  await expect(readBack(change)).rejects.toMatchObject({ code: 'GENERATION_UNREADABLE' });
});

test('clusters with the names of properties are clusters', async () => {
  const names = ['constructor', 'toString', 'hasOwnProperty'];
  const read = await readBack((it) => {
    it.membership.clusters = names;
    for (const name of names) it.membership.excluded[name] = { by: 'person', reason: name };
    it.quarantined[0]!.cluster = 'constructor';
  });
  expect(read?.membership.clusters).toEqual(names);
  expect(Object.entries(read?.membership.excluded ?? {})).toEqual(
    names.map((name) => [name, { by: 'person', reason: name }]),
  );
  expect(read?.quarantined[0]?.cluster).toBe('constructor');
});

test('a provenance with an unknown decision is damaged', async () => {
  const at = documents.provenance.at('f'.repeat(64));
  const write = (decision: string) => {
    const sources = [{ cluster: 'a', seen: 'v1', decision }];
    const digest = 'f'.repeat(64);
    const document = {
      format: 1,
      fingerprint: digest,
      window: one,
      digest,
      size: 1,
      sources,
      quarantined: [],
    };
    return bucket.put(at.key, Buffer.from(JSON.stringify(document)));
  };
  for (const decision of ['used', 'accepted', 'refused:ETL_CORRUPT', 'kept:v1']) {
    await write(decision);
    expect((await readDocument(bucket, at))?.sources[0]?.decision).toBe(decision);
  }
  await write('constructor');
  expect(await readIntact(bucket, at)).toBeUndefined();
});

test.each(['constructor', '__proto__', `../${one}`, `${one}/`, one.replace('1d', '24h'), ''])(
  'a generation with a window %j has no entries',
  async (id) => {
    const windows = { ...good.windows, [id]: good.windows[one] };
    const entries = async () => windowEntries(windows);
    await expect(entries()).rejects.toMatchObject({ code: 'GENERATION_UNREADABLE' });
    expect(windowEntries(good.windows)).toEqual([[one, good.windows[one]]]);
  },
);
