import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { better, type ComparedRatio, compareSection } from './compare';
import { type BenchName, sectionTitles, withSection } from './results-page';
import { markdownTable } from './table';

const names = Object.keys(sectionTitles) as BenchName[];

/**
 * `npm run bench`: runs every benchmark that has a section in `bench/results.md`, one after another, each in its own
 * process, and writes its results to that section.
 *
 * - `--quick` measures small sizes once, and writes nothing;
 * - `--compare FILE` writes nothing, but compares the ratios with those in FILE, a page that `npm run bench` has written.
 *   If a ratio is more than a quarter worse, measures that benchmark once more, as a busy machine may be the cause. If
 *   the ratio is still worse, the exit status is 1.
 */
async function all(): Promise<void> {
  const { values } = parseArgs({
    options: { quick: { type: 'boolean', default: false }, compare: { type: 'string' } },
  });
  const args = values.quick ? ['--quick'] : [];
  if (values.compare !== undefined) return compareWith(values.compare, args);
  for (const name of names) await run(name, values.quick ? args : ['--write']);
}

async function compareWith(file: string, args: readonly string[]): Promise<void> {
  const page = await readFile(file, 'utf8');
  const compared: { name: BenchName; ratios: ComparedRatio[] }[] = [];
  for (const name of names) {
    // Measure only what the page has ratios of.
    if (compareSection(page, page, name).length === 0) {
      console.error(`bench:${name}: not run, as ${file} has no ratios of it`);
      continue;
    }
    const measure = async () =>
      compareSection(page, withSection('', '', name, (await run(name, args)) ?? ''), name);
    let ratios = await measure();
    if (ratios.some(({ worse }) => worse)) {
      console.error(`bench:${name}: a ratio is more than a quarter worse; measuring once more`);
      ratios = better(ratios, await measure());
    }
    if (ratios.length === 0) {
      console.error(`bench:${name}: nothing of it could be compared with ${file}`);
      process.exitCode = 1;
    }
    compared.push({ name, ratios });
  }
  const rows = compared.flatMap(({ name, ratios }) =>
    ratios.map((ratio) => [
      name,
      ratio.name,
      ratio.before,
      ratio.now,
      ratio.change,
      ratio.worse ? 'WORSE' : 'ok',
    ]),
  );
  console.log(
    `\nCompared with ${file} (change: above 1 is better, below 0.75 is an error):\n\n` +
      markdownTable(['benchmark', 'ratio', 'before', 'now', 'change', ''], rows),
  );
  if (compared.some(({ ratios }) => ratios.some(({ worse }) => worse))) process.exitCode = 1;
}

/** Runs a benchmark and returns what it printed. If it fails, returns undefined and sets the exit status to 1. */
async function run(name: BenchName, args: readonly string[]): Promise<string | undefined> {
  console.error(`bench:${name}`);
  const script = path.join(__dirname, `${name}.ts`);
  const child = spawn(process.execPath, ['--import', 'tsx', script, ...args], {
    stdio: ['inherit', 'pipe', 'inherit'],
  });
  const stop = () => child.kill('SIGTERM');
  process.once('SIGTERM', stop);
  const [printed, [code, signal]] = await Promise.all([
    text(child.stdout),
    once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>,
  ]);
  process.off('SIGTERM', stop);
  process.stdout.write(printed);
  // If a benchmark fails, continue with the next one. If a benchmark was ended by a signal, such as SIGINT on Ctrl-C,
  // start no more benchmarks.
  if (signal !== null) throw new Error(`bench:${name} was ended by ${signal}`);
  if (code === 0) return printed;
  process.exitCode = 1;
  return undefined;
}

void all();
