import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { decodeSet } from '../../etl/file';
import { setWindow } from '../../etl/set-facts';
import { parseWindowId } from '../../etl/window';
import { laidOutDay, layOutClusters } from '../../scripts/demo/clusters';
import { exampleWindow, goldenDay, yesterday } from '../../scripts/demo/example-days';
import { runMain } from './run-main';

const golden = path.join(__dirname, '..', 'golden', 'bucket', 'federated');
const ids = ['cluster-1', 'cluster-2', 'cluster-3', 'cluster-4', 'cluster-5'];
const pipelines = ['allocations', 'assets'] as const;

/** Lists the files below a folder, with paths relative to the folder. */
async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
}

describe('the example', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(path.join(os.tmpdir(), 'federated-etl-example-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  const etl = (id: string) => path.join(dir, 'clusters', id, 'etl');
  const layOut = (lastDay: string) =>
    layOutClusters(dir, {
      lastDay,
      temporal: { address: '127.0.0.1:1', namespace: 'default' },
      store: { type: 'FILESYSTEM', config: { directory: path.join(dir, 'bucket') } },
    });

  it('for the golden days has the golden files', async () => {
    const clusters = await layOut(goldenDay);
    expect(clusters.map((cluster) => cluster.etl)).toEqual(ids.map(etl));
    for (const id of ids) {
      const files = await filesBelow(path.join(golden, id, 'etl'));
      expect(files).toHaveLength(14);
      expect(await filesBelow(etl(id))).toEqual(files);
      for (const file of files) {
        const wanted = await readFile(path.join(golden, id, 'etl', file));
        expect((await readFile(path.join(etl(id), file))).equals(wanted)).toBe(true);
      }
    }
  });

  it('for other days has as many whole days and hours, in names and in files', async () => {
    await layOut('2028-03-01');
    const starts = (resolution: string, times: string[], seconds: number) =>
      pipelines.flatMap((pipeline) =>
        times.map((time) => {
          const start = Date.parse(time) / 1000;
          return `bingen/${pipeline}/${resolution}/${start}-${start + seconds}`;
        }),
      );
    const hours = ['08', '09', '10', '11'].map((hour) => `2028-03-01T${hour}:00:00Z`);
    const expected = [
      ...starts('1d', ['2028-02-28', '2028-02-29', '2028-03-01'], 86_400),
      ...starts('1h', hours, 3_600),
    ].sort();
    for (const id of ids) {
      expect(await filesBelow(etl(id))).toEqual(expected);
      for (const file of expected) {
        const ref = parseWindowId(file.slice('bingen/'.length));
        const set = decodeSet(ref?.pipeline ?? 'assets', await readFile(path.join(etl(id), file)));
        expect(setWindow(set)).toEqual(ref?.window);
      }
    }
  });

  it('keeps its days if it exists', async () => {
    expect(await laidOutDay(dir)).toBeUndefined();
    await layOut('2027-05-05');
    const changed = path.join(etl('cluster-2'), 'bingen', 'allocations', '1d', '1809475200-1809561600');
    await writeFile(changed, 'what its user made of it');
    const before = await filesBelow(etl('cluster-2'));
    expect(await laidOutDay(dir)).toBe('2027-05-05');
    await layOut('2027-05-06');
    expect(await filesBelow(etl('cluster-2'))).toEqual(before);
    expect(await readFile(changed, 'utf8')).toBe('what its user made of it');
  });

  it('is completed by the next start if a start was interrupted', async () => {
    await layOut('2027-05-05');
    const whole = await filesBelow(etl('cluster-3'));
    await rm(etl('cluster-3'), { recursive: true });
    const half = path.join(`${etl('cluster-3')}.partial`, 'bingen', 'allocations', '1d');
    await mkdir(half, { recursive: true });
    await writeFile(path.join(half, '1-86401'), 'half');
    await layOut((await laidOutDay(dir)) ?? '');
    expect(await filesBelow(path.join(dir, 'clusters', 'cluster-3'))).toEqual(
      whole.map((file) => path.join('etl', file)),
    );
  });

  it('refuses other days if it exists', async () => {
    await layOut('2027-05-05');
    const { status, err } = await runMain('demo', '--once', '--dir', dir, '--date', '2027-05-06');
    expect({ status, err }).toEqual({
      status: 2,
      err: expect.stringMatching(/--date 2027-05-06: .* ends on 2027-05-05\. .*--dir/),
    });
  });
});

describe('the days of the example', () => {
  it.each([
    ['2026-11-28T00:00:00.000Z', '2026-11-27'],
    ['2026-11-28T23:59:59.999Z', '2026-11-27'],
    ['2028-03-01T12:00:00.000Z', '2028-02-29'],
    ['2027-01-01T00:00:00.000Z', '2026-12-31'],
  ])('end at %s with %s', (now, day) => {
    expect(yesterday(new Date(now))).toBe(day);
  });

  it('are queried in the format of the API', () => {
    expect(exampleWindow('2026-11-16')).toBe('2026-11-14T00:00:00Z,2026-11-17T00:00:00Z');
    expect(exampleWindow('2026-12-31')).toBe('2026-12-29T00:00:00Z,2027-01-01T00:00:00Z');
  });

  it.each(['2026-02-30', '2026-11-16T00:00:00Z', '20261116', 'yesterday', '1969-12-31', ''])(
    'cannot end with %j',
    async (date) => {
      const { status, err } = await runMain('demo', '--once', '--dir', '/nowhere', '--date', date);
      expect({ status, err }).toEqual({ status: 2, err: expect.stringContaining('It takes a day') });
    },
  );
});
