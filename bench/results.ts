import { readFile, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { format, resolveConfig } from 'prettier';
import { type BenchName, withSection } from './results-page';

const file = path.join(__dirname, 'results.md');

/** Conditions at the start of a benchmark. */
export interface Begun {
  readonly name: BenchName;
  /** Start time in UTC, in ISO 8601 format. */
  readonly at: string;
  /**
   * Load average over the minute before the benchmark. If it is high, other programs on the machine are busy and slow
   * the benchmark down.
   */
  readonly load: number;
}

/** Records the conditions at the start of a benchmark. Call it before measuring anything. */
export function begin(name: BenchName): Begun {
  return { name, at: new Date().toISOString(), load: os.loadavg()[0] ?? NaN };
}

/** Prints the results. With `write`, also writes them to the benchmark's section of `bench/results.md`. */
export async function showResults(begun: Begun, write: boolean, ...paragraphs: string[]): Promise<void> {
  const facts = `\`${commandLine(begun.name)}\`, ${begun.at.slice(0, 16).replace('T', ' ')} UTC, load ${begun.load.toFixed(1)} before it.`;
  const body = [facts, ...paragraphs].join('\n\n');
  console.log(`Machine: ${machine()}\n\n${body}`);
  if (!write) return;
  const page = await readFile(file, 'utf8').catch(() => '');
  const config = await resolveConfig(file);
  await writeFile(
    file,
    await format(withSection(page, machine(), begun.name, body), { ...config, parser: 'markdown' }),
  );
  console.error(`Written to ${path.relative(process.cwd(), file)}`);
}

function machine(): string {
  const [cpu] = os.cpus();
  const memory = `${Math.round(os.totalmem() / 2 ** 30)} GiB of memory`;
  return `${os.cpus().length} × ${cpu?.model.trim()}, ${memory}, ${os.type()} ${os.arch()}, Node ${process.version}`;
}

/** Returns the command line that runs this benchmark again with the same arguments. */
function commandLine(name: BenchName): string {
  const args = process.argv.slice(2).filter((arg) => arg !== '--write');
  return [`npm run bench:${name}`, ...(args.length === 0 ? [] : ['--', ...args])].join(' ');
}
