import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { mapConcurrently } from '../concurrency/map-concurrently';
import { formatTable } from '../scripts/table';
import { measure, type Measured } from './storage/measure';
import { type MeasuredStore, stores } from './storage/stores';
import { medianOf } from './table';

/**
 * `npm run bench:storage`: pushes files to each store and pulls them back, with our storage driver and with rclone. The
 * two alternate, and use the same server, the same files and the same concurrency. Prints a table of medians and
 * ratios.
 */
async function bench(): Promise<void> {
  const { values } = parseArgs({
    options: {
      files: { type: 'string', default: '2000' },
      bytes: { type: 'string', default: '1000000' },
      rounds: { type: 'string', default: '3' },
      'at-once': { type: 'string', default: '16' },
      stores: { type: 'string', default: Object.keys(stores).join(',') },
    },
  });
  const [files, bytes, rounds] = [values.files, values.bytes, values.rounds].map(Number) as [
    number,
    number,
    number,
  ];
  const folder = await mkdtemp(path.join(os.tmpdir(), 'federated-etl-bench-'));
  const source = path.join(folder, 'source');
  const rows: (string | number | undefined)[][] = [];
  try {
    await mkdir(source);
    const names = Array.from({ length: files }, (_, i) => `window-${String(i).padStart(5, '0')}`);
    await mapConcurrently(names, 8, (name) => writeFile(path.join(source, name), randomBytes(bytes)));
    for (const name of values.stores.split(',')) {
      const start = stores[name];
      if (start === undefined)
        throw new Error(`there is no store ${name}: ${Object.keys(stores).join(', ')}`);
      const home = path.join(folder, name);
      await mkdir(home);
      const store = await start(home);
      try {
        rows.push(...(await measureStore(store, home, source, { rounds, files, atOnce: values['at-once'] })));
      } finally {
        await store.stop();
        await rm(home, { recursive: true, force: true });
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  console.log(`${files} files of ${bytes} bytes, ${values['at-once']} at once, medians of ${rounds} rounds`);
  console.log(`${os.cpus().length} cores, ${os.cpus()[0]?.model}, Node ${process.version}\n`);
  const headings = ['store', 'verb', 'ours', 'rclone', 'ours / rclone', 'peak of ours', 'peak of rclone'];
  console.log(formatTable(headings, rows));

  function row(store: string, verb: string, ours: Measured[], theirs: Measured[]) {
    const speed = (measured: Measured[]) =>
      (files * bytes) / 1e6 / medianOf(measured, ({ seconds }) => seconds);
    const peak = (measured: Measured[]) =>
      `${Math.round(Math.max(...measured.map((m) => m.peakBytes)) / 1e6)} MB`;
    return [
      store,
      verb,
      `${Math.round(speed(ours))} MB/s`,
      `${Math.round(speed(theirs))} MB/s`,
      (speed(ours) / speed(theirs)).toFixed(2),
      peak(ours),
      peak(theirs),
    ];
  }

  async function measureStore(
    store: MeasuredStore,
    home: string,
    from: string,
    { rounds, files, atOnce }: { rounds: number; files: number; atOnce: string },
  ) {
    const file = path.join(home, 'federated-store.yaml');
    await writeFile(file, JSON.stringify(store.store));
    const pulled = path.join(home, 'pulled');
    const ours = async (verb: string, where: string): Promise<Measured> => {
      const script = path.join(__dirname, 'storage', 'transfer.ts');
      const emulator = store.gcsEmulator === undefined ? [] : [store.gcsEmulator];
      const args = ['--import', 'tsx', script, verb, file, where, atOnce, ...emulator];
      const { output } = await measure(process.execPath, args, process.env);
      return JSON.parse(output) as Measured;
    };
    const rclone = (...args: string[]): Promise<Measured> =>
      measure('rclone', [...args, '--transfers', atOnce, '--retries', '1', '--quiet'], {
        // Pass only the settings of this store to rclone, so that the user's own rclone settings have no effect.
        PATH: process.env['PATH'],
        ...store.rclone.env,
        RCLONE_CONFIG: path.join(home, 'rclone.conf'),
      });
    const remote = `store:${store.rclone.path}/theirs`;
    const times = { push: [] as Measured[], pull: [] as Measured[] };
    const theirs = { push: [] as Measured[], pull: [] as Measured[] };
    for (let round = 0; round < rounds; round += 1) {
      times.push.push(await ours('push', from));
      theirs.push.push(await rclone('copy', from, remote));
      times.pull.push(await ours('pull', pulled));
      await complete(pulled, files);
      theirs.pull.push(await rclone('copy', remote, pulled));
      await complete(pulled, files);
      // Empty the remote. Otherwise, the next push by rclone would find the files there and skip them.
      await rclone('purge', remote);
      console.error(`${store.name}: round ${round + 1} of ${rounds}`);
    }
    return (['push', 'pull'] as const).map((verb) => row(store.name, verb, times[verb], theirs[verb]));
  }
}

/**
 * Checks that all files have arrived in the folder. Then deletes the folder, so that the next transfer has to write all
 * files again.
 */
async function complete(folder: string, files: number): Promise<void> {
  const found = (await readdir(folder)).length;
  if (found !== files) throw new Error(`${found} of ${files} files arrived in ${folder}`);
  await rm(folder, { recursive: true });
}

void bench();
