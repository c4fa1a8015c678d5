import { setTimeout as sleep } from 'node:timers/promises';
import { SingleBar, Presets } from 'cli-progress';
import { WorkflowFailedError, type Client } from '@temporalio/client';
import { catalog, isErrorCode } from '../errors/catalog';
import { FederationError } from '../errors/federation-error';
import { failureOf } from '../workflows/attempts';
import type { FederationSummary } from '../workflows/federation';
import { progress, type FederationProgress } from '../workflows/messages';

const lookEveryMs = 500;
/** So often in a row without an answer, and it is worth a word. Unserved queries take seconds each to fail. */
const patientLooks = 3;

/**
 * Follows a run to its end: a progress bar on a terminal, the familiar bracketed lines elsewhere. Gives its summary, or
 * throws FEDERATION_FAILED. Ends without the run, which goes on, when `stop` is aborted.
 */
export async function showFederation(
  client: Client,
  run: string,
  say: (line: string) => void,
  stop: AbortSignal,
): Promise<FederationSummary> {
  const handle = client.workflow.getHandle(run);
  const view = process.stdout.isTTY ? barView() : lineView(say);
  const ended = new AbortController();
  const watched = watch();
  try {
    const summary = (await handle.result()) as FederationSummary;
    await end();
    say(describe(summary));
    return summary;
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const { code, message } = failureOf(error.cause);
    throw new FederationError(isErrorCode(code) ? code : 'FEDERATION_FAILED', {
      subject: { key: run },
      detail: message,
      hint: `${catalog[isErrorCode(code) ? code : 'FEDERATION_FAILED'].hint} The run failed and changed nothing; \`federated-etl replay ${run}\` starts it again.`,
      cause: error,
    });
  } finally {
    await end();
  }

  async function end(): Promise<void> {
    ended.abort();
    await watched;
    view.end();
  }

  async function watch(): Promise<void> {
    let unanswered = 0;
    while (!ended.signal.aborted && !stop.aborted) {
      // The run may be over, or nobody serves it at the moment: there is just nothing to show then.
      const state = await handle.query<FederationProgress>(progress).catch(() => undefined);
      if (state !== undefined) view.show(state);
      unanswered = state === undefined ? unanswered + 1 : 0;
      if (unanswered === patientLooks)
        say('  No federator serves the run at the moment; it goes on when one does.');
      await sleep(lookEveryMs, undefined, { signal: ended.signal }).catch(() => undefined);
    }
  }
}

/** One line about how a run ended. */
function describe(summary: FederationSummary): string {
  const out = summary.leftOut.length === 0 ? '' : `, without ${summary.leftOut.join(', ')}`;
  const aside = summary.problems === 0 ? '' : `, ${summary.problems} sources set aside`;
  const generation =
    summary.generation === undefined ? 'nothing to commit' : `generation ${summary.generation}`;
  return `  Federator ${summary.outcome}: ${generation}, ${summary.clusters} clusters${out}, ${summary.windows} windows, ${summary.merged} merged${aside}`;
}

interface View {
  show(state: FederationProgress): void;
  end(): void;
}

function lineView(say: (line: string) => void): View {
  let last = '';
  return {
    show: (state) => {
      const line = `  Federator ${state.phase}${state.planned > 0 ? `: ${state.merged} of ${state.planned} windows` : ''}`;
      if (line !== last) say(line);
      last = line;
    },
    end: () => undefined,
  };
}

function barView(): View {
  const bar = new SingleBar(
    {
      format: '  {bar} {value}/{total} windows · {phase}',
      hideCursor: true,
      clearOnComplete: true,
      stopOnComplete: false,
    },
    Presets.shades_classic,
  );
  let started = false;
  return {
    show: ({ merged, planned, phase }) => {
      if (!started) bar.start(planned, merged, { phase });
      started = true;
      bar.setTotal(Math.max(planned, 1));
      bar.update(merged, { phase });
    },
    end: () => {
      if (started) bar.stop();
      started = false;
    },
  };
}
