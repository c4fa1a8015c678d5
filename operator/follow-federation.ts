import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, WorkflowFailedError } from '@temporalio/client';
import { catalog, isErrorCode } from '../errors/catalog';
import { FederationError } from '../errors/federation-error';
import type { FederationSummary } from '../workflows/federation';
import { type FederationProgress, progress } from '../workflows/messages';
import { awaitRun, type Patience } from './await-run';
import { errorOfFailed } from './temporal-runs';

const lookEveryMs = 500;
/** Number of consecutive unanswered queries after which `unserved` is called. Each query takes seconds to fail. */
const patientLooks = 3;

export interface FollowOptions {
  /** Called about twice a second with the state of the run, as long as the run answers. */
  readonly progress: (state: FederationProgress) => void;
  /** Called when several queries in a row had no answer, so no worker seems to be running. */
  readonly unserved: () => void;
  /** Called with the reason when the run is stuck, or when Temporal does not answer. */
  readonly stuck: (why: FederationError) => void;
  /** Aborting this signal stops the progress reports. The end of the run is still awaited. */
  readonly stop: AbortSignal;
  readonly patience?: Patience;
  /** Aborting this signal ends the waiting, but not the run. */
  readonly timeout?: AbortSignal;
}

/**
 * Waits for the end of a federation and returns its summary. Meanwhile, reports its progress.
 *
 * @throws FederationError with the code of the run's error, or with FEDERATION_FAILED if that code is unknown; see
 *   `awaitRun` for a run that cannot end
 */
export async function followFederation(
  client: Client,
  run: string,
  options: FollowOptions,
): Promise<FederationSummary> {
  const handle = client.workflow.getHandle(run);
  const ended = new AbortController();
  let isStuck = false;
  const stuck = (why: FederationError) => {
    isStuck = true;
    options.stuck(why);
  };
  void watch();
  try {
    return (await awaitRun(client, run, { ...options, stuck })) as FederationSummary;
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const failure = errorOfFailed(error);
    const code = isErrorCode(failure.code) ? failure.code : 'FEDERATION_FAILED';
    throw new FederationError(code, {
      subject: { key: run },
      detail: failure.message,
      hint: `${failure.hint ?? catalog[code].hint} \`federated-etl replay ${run}\` starts it again.`,
      cause: error,
    });
  } finally {
    ended.abort();
  }

  async function watch(): Promise<void> {
    let unanswered = 0;
    while (!ended.signal.aborted && !options.stop.aborted) {
      // If there is no answer, either the run has ended or no worker serves it at the moment.
      const state = await handle.query<FederationProgress>(progress).catch(() => undefined);
      // Do not report progress after the run has ended: the query may have taken longer than the run.
      if (ended.signal.aborted) return;
      if (state !== undefined) options.progress(state);
      unanswered = state === undefined ? unanswered + 1 : 0;
      if (unanswered === patientLooks && !isStuck) options.unserved();
      await sleep(lookEveryMs, undefined, { signal: ended.signal }).catch(() => undefined);
    }
  }
}
