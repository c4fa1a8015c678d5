import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { mapConcurrently } from '../../concurrency/map-concurrently';
import { openBucketFromFile } from '../../storage/open-bucket';
import { readAll } from '../../storage/read-all';

/**
 * Performs one transfer in this process, so that the peak memory of the transfer can be measured. `push` uploads all
 * files of a folder, and stores the SHA-256 of each file in its metadata, as a Federated Cluster does. `pull` downloads
 * the files. Prints the measurements as one line of JSON.
 */
async function transfer(
  verb: string,
  store: string,
  folder: string,
  atOnce: number,
  gcsEmulator: string | undefined,
): Promise<void> {
  const start = performance.now();
  const bucket = await openBucketFromFile(store, { gcsEmulator });
  const bytes = verb === 'push' ? await push() : await pull();
  const seconds = (performance.now() - start) / 1000;
  await bucket.close();
  // Node reports `maxRSS` in KiB on every system.
  const { maxRSS } = process.resourceUsage();
  process.stdout.write(`${JSON.stringify({ seconds, bytes, peakBytes: maxRSS * 1024 })}\n`);

  async function push(): Promise<number> {
    const sent = await mapConcurrently(await readdir(folder), atOnce, async (name) => {
      const content = await readFile(path.join(folder, name));
      const sha256 = createHash('sha256').update(content).digest('hex');
      await bucket.put(`ours/${name}`, content, { metadata: { sha256 } });
      return content.length;
    });
    return sum(sent);
  }

  async function pull(): Promise<number> {
    await mkdir(folder, { recursive: true });
    const keys: string[] = [];
    for await (const entry of bucket.list('ours/')) if (entry.kind === 'object') keys.push(entry.key);
    const received = await mapConcurrently(keys, atOnce, async (key) => {
      const { bytes: content } = await readAll(bucket, key);
      await writeFile(path.join(folder, path.basename(key)), content);
      return content.length;
    });
    return sum(received);
  }
}

function sum(sizes: number[]): number {
  return sizes.reduce((all, size) => all + size, 0);
}

const [verb = '', store = '', folder = '', atOnce = '16', gcsEmulator] = process.argv.slice(2);
void transfer(verb, store, folder, Number(atOnce), gcsEmulator);
