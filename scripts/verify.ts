import type { Command } from 'commander';
import { count } from '../federation/count';
import { type NewestVerification, verifyNewest } from '../operator/verify';
import type { BucketReader } from '../storage/bucket';
import { type CommandOptions, openContext } from './context';
import { print, printJson } from './output';
import { showProgress } from './progress';

/** JSON output if there is no generation yet, which means that no federation run has committed. */
const nothingToVerify = { generation: null, findings: [] };

/** Checks the bucket against the newest generation. */
export async function verify(command: Command): Promise<void> {
  const options = command.optsWithGlobals<CommandOptions & { deep?: true; json?: true }>();
  await using context = openContext(options);
  const result = await verifyShowing(await context.bucket(), options.deep === true);
  if (options.json) printJson(result ?? nothingToVerify);
  else show(result, options.deep === true);
  if (result !== undefined && result.findings.length > 0) process.exitCode = 1;
}

async function verifyShowing(bucket: BucketReader, deep: boolean): Promise<NewestVerification | undefined> {
  using progress = showProgress('verify generation');
  return await verifyNewest(bucket, {
    deep,
    progress: (generation, done, of) => progress.update(done, of, String(generation)),
  });
}

function show(result: NewestVerification | undefined, deep: boolean): void {
  if (result === undefined)
    return print('No generation has been committed yet, so there is nothing to verify.');
  const { generation, windows, remerged, changedSince, unnamed, newer, unpublished, findings } = result;
  for (const { about, key, detail, todo } of findings) print(`${about}: ${detail} (${key})`, `  ${todo}`);
  if (unnamed > 0)
    print(`${count(unnamed, 'file')} beside the published ones that no generation named; left alone.`);
  if (deep) {
    const skipped = changedSince === 0 ? '' : `, ${changedSince} not, as their sources changed since`;
    print(`${count(remerged, 'window')} merged again and compared${skipped}.`);
  }
  if (newer !== undefined)
    print(
      `Generation ${newer.generation} was committed meanwhile; ${count(newer.windows, 'window')} that differed ${newer.windows === 1 ? 'was' : 'were'} checked against it.`,
    );
  if (unpublished > 0)
    print(
      `Not published yet: ${count(unpublished, 'file')}. The run that committed the generation has not ended; if it died, the next run publishes them.`,
    );
  const verdict =
    findings.length === 0 ? 'all is as it was committed' : `${count(findings.length, 'problem')} found`;
  if (generation === null) print(`No generation can be read: ${verdict}.`);
  else print(`Generation ${generation}, ${count(windows, 'window')}: ${verdict}.`);
}
