import { cpSync, mkdtempSync, renameSync, rmSync, symlinkSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ReadThreads, startReadThreads } from '../../activities/threads/read-threads';
import type { PassedOverPlaces } from '../../local-etl/passed-over';
import { type LocalEtl, localEtl } from '../../local-etl/store';
import { openEngine } from '../../operator/open-engine';
import { reportOnce, serveLocalEtl } from '../../operator/serve-local';
import type { UnreadableFile } from '../../operator/serve-readable';
import type { QueryEngine } from '../../query/engine';

const golden = join(__dirname, '../golden/expected/federated/combined/etl');

let folder: string;
let store: LocalEtl;
let threads: ReadThreads;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'serve-local-'));
  cpSync(golden, folder, { recursive: true });
  store = localEtl(folder);
  threads = startReadThreads({ mostUnpacked: 2 ** 26 });
});
afterEach(async () => {
  await threads.close();
  rmSync(folder, { recursive: true });
});

function serve(
  engine: QueryEngine,
  onUnreadable: (file: UnreadableFile) => void = () => undefined,
  onPassedOver?: (places: PassedOverPlaces) => void,
) {
  const signal = new AbortController().signal;
  return serveLocalEtl({
    engine,
    store,
    threads,
    signal,
    onUnreadable,
    onPassedOver,
    progress: () => undefined,
  });
}

const cut = 'assets/1d/1794787200-1794873600';

it('serves the rest of a local ETL store, and names the links and unreadable folders', async () => {
  renameSync(join(store.bingen, 'assets/1d'), join(folder, 'elsewhere'));
  symlinkSync(join(folder, 'elsewhere'), join(store.bingen, 'assets/1d'));
  await using engine = await openEngine({ verb: 'test' });
  const skipped: string[] = [];
  const onPassedOver = ({ links, unreadable }: PassedOverPlaces) =>
    skipped.push(...[...links, ...unreadable].map(({ path }) => path));
  expect(await serve(engine, undefined, onPassedOver)).toMatchObject({ files: 11 });
  expect(skipped).toEqual(['assets/1d']);
});

describe('serving a local ETL store with an unreadable file', () => {
  it('counts records read before the file was found as well as after it', async () => {
    rmSync(join(store.bingen, cut));
    await using without = await openEngine({ verb: 'test' });
    const others = await serve(without);

    cpSync(join(golden, 'bingen', cut), join(store.bingen, cut));
    truncateSync(join(store.bingen, cut), 100);
    await using engine = await openEngine({ verb: 'test' });
    expect(others.ingested).toBe(13);
    expect(await serve(engine)).toMatchObject({ files: 13, ingested: 13, rows: others.rows });
  });

  it('reports the file once, and again when its content changes', async () => {
    await using engine = await openEngine({ verb: 'test' });
    const reported: string[] = [];
    const report = reportOnce(({ name, code }) => reported.push(`${name} ${code}`));
    truncateSync(join(store.bingen, cut), 100);
    await serve(engine, report);
    await serve(engine, report);
    expect(reported).toEqual([`${cut} ETL_TRUNCATED`]);
    truncateSync(join(store.bingen, cut), 101);
    await serve(engine, report);
    expect(reported).toHaveLength(2);
  });
});
