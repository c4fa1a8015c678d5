import os from 'node:os';
import { formatTable } from '../../scripts/table';
import { inputsPerBatch } from './inputs';
import { mutations } from './mutations';
import { type InputsReport, runInputs, saveFailures } from './run-inputs';

/** What `npm run fuzz` is asked to do. */
export interface FuzzOptions {
  readonly seed: number;
  /** How many inputs or requests are tried. */
  readonly count: number;
  /** If set, only this one is tried. */
  readonly only?: number;
  /** The folder for inputs that failed, and for files that later runs can use again. */
  readonly folder: string;
}

/** Tries damaged files, and prints how they were answered. Returns false if anything was wrong. */
export async function fuzzInputs({ seed, count, only, folder }: FuzzOptions): Promise<boolean> {
  const [from, to] = only === undefined ? [0, count] : [only - (only % inputsPerBatch), only + 1];
  const started = performance.now();
  const report = await runInputs({ seed, from, to }, (tried) => {
    const seconds = Math.round((performance.now() - started) / 1_000);
    if (process.stderr.isTTY) process.stderr.write(`\r${tried} of ${to - from} inputs in ${seconds} s `);
  });
  const seconds = Math.round((performance.now() - started) / 1_000);
  console.log(`\n${describe(report)}\n${seconds} s on ${os.cpus().length} cores, Node ${process.version}`);
  const files = await saveFailures(report, folder);
  for (const [place, { index, stage, why }] of report.failures.entries()) {
    console.log(`\nInput ${index} (${stage}): ${why}\n${files[place]}`);
    console.log(`To try it again: npm run fuzz -- --seed ${seed} --only ${index}`);
  }
  return report.failures.length === 0;
}

function describe({
  seed,
  inputs,
  counts,
  memory,
  slowest,
  largest,
  failures,
  untried,
}: InputsReport): string {
  const table = (byOutcome: ReadonlyMap<string, ReadonlyMap<string, number>>) => {
    const outcomes = [...byOutcome.keys()].sort();
    const rows = [...mutations, 'heavy'].map((mutation) => [
      mutation,
      ...outcomes.map((outcome) => byOutcome.get(outcome)?.get(mutation) ?? 0),
    ]);
    const total = (column: number) => rows.reduce((sum, row) => sum + Number(row[column]), 0);
    const totals = outcomes.map((_, index) => total(index + 1));
    return formatTable(['mutation', ...outcomes], [...rows, ['all', ...totals]]);
  };
  const mebibytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;
  return [
    `npm run fuzz -- --inputs ${inputs} --seed ${seed}`,
    '\nDecoder and splice:',
    ...table(counts.file),
    '\nMerge activity:',
    ...table(counts.merge),
    `\nlargest memory: ${mebibytes(memory.rss)} in all, ${mebibytes(memory.heapUsed)} heap, ${mebibytes(memory.external)} external, ${mebibytes(memory.arrayBuffers)} in array buffers`,
    `grew most at input ${largest.index}: ${mebibytes(largest.grew)}`,
    `slowest input: ${slowest.index}, ${Math.round(slowest.milliseconds)} ms of CPU time`,
    `failures: ${failures.length}${untried === 0 ? '' : `; not tried: ${untried}`}`,
  ].join('\n');
}
