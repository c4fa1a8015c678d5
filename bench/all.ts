import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { type BenchName, sectionTitles } from './results-page';

/**
 * `npm run bench`: runs every benchmark that has a section in `bench/results.md`, and writes its results to that
 * section. The benchmarks run one after another, each in its own process. Arguments such as `--quick` are passed to
 * each benchmark.
 */
async function all(): Promise<void> {
  for (const name of Object.keys(sectionTitles) as BenchName[]) {
    console.error(`bench:${name}`);
    const script = path.join(__dirname, `${name}.ts`);
    const args = ['--import', 'tsx', script, '--write', ...process.argv.slice(2)];
    const child = spawn(process.execPath, args, { stdio: 'inherit' });
    const stop = () => child.kill('SIGTERM');
    process.once('SIGTERM', stop);
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    process.off('SIGTERM', stop);
    // If a benchmark fails, continue with the next one. If a benchmark was ended by a signal, such as SIGINT on Ctrl-C,
    // start no more benchmarks.
    if (signal !== null) throw new Error(`bench:${name} was ended by ${signal}`);
    if (code !== 0) process.exitCode = 1;
  }
}

void all();
