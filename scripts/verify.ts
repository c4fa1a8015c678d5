import { Presets, SingleBar } from 'cli-progress';
import type { Command } from 'commander';
import { newestGenerationNumber, readNewestGeneration } from '../activities/read-generations';
import { discoverClusters, listWindowFiles } from '../activities/survey-clusters';
import type { BucketReader } from '../storage/bucket';
import { openContext, type CommandOptions } from './context';
import { count, print, printJson } from './output';
import { verifyGeneration, type Verification } from './verify-generation';

/** Adds the verb `verify` to the program. */
export function registerVerify(program: Command): void {
  program
    .command('verify')
    .description('check every published window and every merged object against the newest generation')
    .option('--deep', 'also merge the sources again, where they are unchanged, and compare')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  federated-etl verify --deep\n\nExit status 1: something is not as it should be.\n',
    )
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommandOptions & { deep?: true; json?: true }>();
      await using context = openContext(options);
      const result = await verifyNewest(await context.bucket(), options.deep === true);
      if (options.json) printJson(result ?? { generation: null, findings: [] });
      else show(result, options.deep === true);
      if (result !== undefined && result.findings.length > 0) process.exitCode = 1;
    });
}

async function verifyNewest(bucket: BucketReader, deep: boolean): Promise<Verification | undefined> {
  for (;;) {
    const generation = await readNewestGeneration(bucket);
    if (generation === undefined) return undefined;
    const files = deep ? await listWindowFiles(bucket, await discoverClusters(bucket)) : undefined;
    using progress = showProgress(`verify generation ${generation.generation}`);
    const result = await verifyGeneration(bucket, generation, { deep: files, onProgress: progress.update });
    // A federation that commits meanwhile publishes other files and cleans up: then the newer one is verified.
    const newest =
      result.findings.length === 0 ? generation.generation : await newestGenerationNumber(bucket);
    if (newest === generation.generation) return result;
  }
}

interface Progress extends Disposable {
  update(this: void, done: number, of: number): void;
}

/** A bar at a terminal, a line each tenth elsewhere; on standard error, beside the answer. */
function showProgress(what: string): Progress {
  if (!process.stderr.isTTY) {
    let tenths = 0;
    return {
      update(done, of) {
        if (Math.floor((done * 10) / of) === tenths) return;
        tenths = Math.floor((done * 10) / of);
        process.stderr.write(`${what}: ${done} of ${count(of, 'window')}\n`);
      },
      [Symbol.dispose]: () => undefined,
    };
  }
  const bar = new SingleBar(
    { format: `${what} {bar} {value}/{total} windows`, clearOnComplete: true },
    Presets.shades_classic,
  );
  bar.start(1, 0);
  return {
    update(done, of) {
      bar.setTotal(of);
      bar.update(done);
    },
    [Symbol.dispose]: () => bar.stop(),
  };
}

function show(result: Verification | undefined, deep: boolean): void {
  if (result === undefined) return print('No generation was committed yet: there is nothing to verify.');
  const { generation, windows, remerged, changedSince, unnamed, findings } = result;
  for (const { about, key, detail } of findings) print(`${about}: ${detail} (${key})`);
  if (unnamed > 0)
    print(`${count(unnamed, 'file')} beside the published ones that no generation named; left alone.`);
  if (deep) {
    const skipped = changedSince === 0 ? '' : `, ${changedSince} not, as their sources changed since`;
    print(`${count(remerged, 'window')} merged again and compared${skipped}.`);
  }
  const verdict =
    findings.length === 0 ? 'all is as it was committed' : `${count(findings.length, 'problem')} found`;
  print(`Generation ${generation}, ${count(windows, 'window')}: ${verdict}.`);
}
