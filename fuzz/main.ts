import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { formatTable } from '../scripts/output';
import { inputsPerBatch } from './inputs/inputs';
import { mutations } from './inputs/mutations';
import { type InputsReport, runInputs, saveFailures } from './inputs/run-inputs';

/**
 * `npm run fuzz`: tries damaged files, and prints how they were answered. `--only INDEX` repeats the batch of one input
 * up to that input. Ends with status 1 if anything was wrong.
 */
async function fuzz(): Promise<void> {
  const { values } = parseArgs({
    options: {
      inputs: { type: 'string', default: '10000' },
      seed: { type: 'string', default: '1' },
      only: { type: 'string' },
      dir: { type: 'string', default: path.join(os.tmpdir(), 'federated-etl-fuzz-failures') },
    },
  });
  const seed = Number(values.seed);
  const only = values.only === undefined ? undefined : Number(values.only);
  const [from, to] =
    only === undefined ? [0, Number(values.inputs)] : [only - (only % inputsPerBatch), only + 1];
  const started = performance.now();
  const report = await runInputs({ seed, from, to }, (tried) => {
    const seconds = (performance.now() - started) / 1_000;
    if (process.stderr.isTTY)
      process.stderr.write(`\r${tried} of ${to - from} inputs in ${Math.round(seconds)} s `);
  });
  const seconds = (performance.now() - started) / 1_000;
  console.log(
    `\n${describe(report)}\n${Math.round(seconds)} s on ${os.cpus().length} cores, Node ${process.version}`,
  );
  const files = await saveFailures(report, values.dir);
  for (const [place, { index, stage, why }] of report.failures.entries()) {
    console.log(`\nInput ${index} (${stage}): ${why}\n${files[place]}`);
    console.log(`To try it again: npm run fuzz -- --seed ${seed} --only ${index}`);
  }
  if (report.failures.length > 0) process.exitCode = 1;
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
    return formatTable(
      ['mutation', ...outcomes],
      [...rows, ['all', ...outcomes.map((_, index) => total(index + 1))]],
    );
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

void fuzz();
