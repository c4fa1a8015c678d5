import type { Command } from 'commander';
import { describeWindow, parseWindowId, type Pipeline } from '../etl/window';
import { count } from '../federation/count';
import { type DecidableSource, isMergeable, type SourceChange } from '../federation/source-decisions';
import { dryRun } from '../operator/dry-run';
import { decisionRequest } from '../operator/person-request';
import { type SelectedSources, selectSources, undecided } from '../operator/source-decisions';
import { confirm } from './confirm';
import { type CommandOptions, type Context, openContext } from './context';
import { describeFederation } from './federation-progress';
import { followRun, startRun } from './follow-run';
import { print, printJson, printNote } from './output';
import { showPlan } from './show-dry-run';
import { formatTable } from './table';
import type { WaitOptions } from './wait-options';
import { whoAmI } from './who';

/** Options of the verbs `accept` and `quarantine drop`. */
export interface DecideOptions extends CommandOptions, WaitOptions {
  readonly window?: { start: number; end: number };
  readonly pipeline?: Pipeline;
  readonly reason?: string;
  readonly yes?: true;
  readonly dryRun?: true;
  readonly json?: true;
}

/**
 * Shows the sources that a decision applies to, asks for confirmation, and starts a federation that commits the
 * decision.
 */
export async function decideSources(
  command: Command,
  kind: SourceChange['kind'],
  cluster: string,
  options: DecideOptions,
): Promise<void> {
  await using context = openContext(options);
  const { window: windows, pipeline, reason, json } = options;
  const selected = await selectSources(await context.bucket(), { kind, cluster, windows, pipeline });
  showSelected(selected, json ? printNote : print);
  const request = decisionRequest(whoAmI(), selected.change, reason);
  if (options.dryRun) {
    const plan = await dryRun(context, request);
    // Do not repeat the sentences in `selected.missing`: `showSelected` has already printed them.
    const also = plan.missing.filter((line) => !selected.missing.includes(line));
    const missing = [...selected.missing, ...also];
    return showPlan({ ...plan, missing: also }, options, { ...selected, missing });
  }
  if (!(await confirm(command, question(selected), options))) return;
  const run = await startRun(context, request);
  if (options.wait) return await follow(context, run, selected, options);
  if (json) return printJson({ run, ...selected });
  print(
    `${run} has started; the decision takes effect when it commits. Follow it with \`federated-etl runs\`.`,
  );
}

async function follow(
  context: Context,
  run: string,
  selected: SelectedSources,
  { json, timeout }: DecideOptions,
): Promise<void> {
  const summary = await followRun(context, run, { timeout });
  const left = await undecided(await context.bucket(), selected);
  if (left.length > 0) process.exitCode = 1;
  if (json) return printJson({ ...summary, ...selected, undecided: left });
  print(...describeFederation(summary));
  const { change, sources } = selected;
  const decided = sources.length - left.length;
  print(
    `${count(decided, 'source')} of ${change.cluster} ${decided === 1 ? 'is' : 'are'} ${done(selected)}.`,
  );
  if (left.length > 0) {
    print('These are not: they were replaced, or cannot be read. `federated-etl quarantine` says why.');
    print(...table(left));
  }
}

function done({ change, sources }: SelectedSources): string {
  if (change.kind === 'drop') return 'dropped';
  if (sources.every(isMergeable)) return 'accepted';
  return sources.some(isMergeable) ? 'accepted or no longer dropped' : 'no longer dropped';
}

function question({ change: { kind, cluster }, sources }: SelectedSources): string {
  const what = `${count(sources.length, 'source')} of ${cluster}`;
  const effects =
    kind === 'drop'
      ? ['These versions are never merged. Nothing is deleted.']
      : [
          ...(sources.some(isMergeable)
            ? ['They are merged as they are; windows of vanished files lose the cluster.']
            : []),
          ...(sources.every(isMergeable)
            ? []
            : ['Those that cannot be merged are only no longer dropped: runs are partial again.']),
        ];
  return `${kind === 'accept' ? 'Accept' : 'Drop'} ${what}? ${effects.join(' ')}`;
}

function showSelected(
  { change, sources, impossible, replaced, missing }: SelectedSources,
  say: (...lines: readonly string[]) => void,
): void {
  say(`Listed in generation ${change.generation}:`, '', ...table(sources), '');
  if (impossible.length > 0) {
    say('These cannot be accepted; `federated-etl quarantine drop` keeps them out of the total for good:');
    say(...table(impossible), '');
  }
  if (replaced.length > 0) {
    say('The files of these have been replaced since; the next federation judges the new ones:');
    say(...table(replaced), '');
  }
  for (const line of missing) printNote(line);
}

/** Maximum number of sources in a table. */
const mostShown = 50;

function table(sources: readonly DecidableSource[]): string[] {
  const rows = sources.slice(0, mostShown).map((source) => {
    const ref = parseWindowId(source.window);
    const { code, detail, dropped } = source;
    const state = dropped === undefined ? source.state : `${source.state}, dropped`;
    return [ref?.pipeline, ref ? describeWindow(ref) : source.window, state, code, detail];
  });
  const more = sources.length - rows.length;
  return [
    ...formatTable(['pipeline', 'window', 'state', 'code', 'detail'], rows, { states: ['state'] }),
    ...(more > 0 ? [`and ${more} more: see \`federated-etl quarantine\``] : []),
  ];
}
