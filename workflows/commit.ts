import { getExternalWorkflowHandle, log, proxyActivities, setCurrentDetails } from '@temporalio/workflow';
import type { CommitResult } from '../activities/commit-generation';
import type { CallsOf, FederationActivities } from '../activities/federation-activities';
import { type GenerationIdentity, identityOf } from '../federation/identity';
import { addCalls, noCalls, type StoreCalls } from '../federation/store-calls';
import { failureOf } from './attempts';
import { asRunFailure } from './failure';
import { noteGeneration } from './messages';
import { longActivity } from './retries';

export interface CommitInput {
  readonly run: string;
  readonly attempt: number;
  /** Id of the roster workflow. */
  readonly roster: string;
  /**
   * True if the run has nothing to commit because the federation is on hold. The workflow then does only the steps that
   * follow a commit.
   */
  readonly onHold?: boolean;
}

/** The result of a commit, and of the steps that follow it: publishing, notifying the primaries, and cleaning up. */
export interface CommitEnd {
  readonly result: CommitResult | { readonly status: 'on-hold' };
  readonly published?: { readonly generation: number; readonly copied: number; readonly deleted: number };
  /** Steps that failed after the commit, such as `publish`, with the reasons. The next run repeats these steps. */
  readonly unfinished: readonly string[];
  /** Counts of the store calls made by the whole workflow: the commit, publishing and clean-up. */
  readonly calls: StoreCalls;
}

const { commitGeneration, publishGeneration, notifyPrimaries, cleanUp } =
  proxyActivities<FederationActivities>(longActivity);

/**
 * Commits a generation, publishes it, notifies the primaries and cleans up. The workflow id is always the same and
 * serves as a lock: Temporal never runs two workflows with the same id at once, so a federation never has two commits
 * at once. While the federation is on hold, nothing is committed, but the other steps still complete what an earlier
 * run left unfinished.
 */
export async function commit({ run, attempt, roster, onHold }: CommitInput): Promise<CommitEnd> {
  if (onHold === true) return { result: { status: 'on-hold' }, ...(await afterCommit()) };
  try {
    const answer = await commitGeneration.executeWithOptions({ summary: `commit ${run}` }, [
      { run, attempt },
    ]);
    const { calls, ...result } = answer;
    if (result.status === 'replan') return { result, unfinished: [], calls };
    setCurrentDetails(`Generation **${result.generation}** ${result.status}`);
    await noteInRoster(roster, result);
    const after = await afterCommit();
    return { result, ...after, calls: addCalls(calls, after.calls) };
  } catch (error) {
    throw asRunFailure(error);
  }
}

/**
 * Reports the newest generation to the roster. An error is only logged, because the next run reports the newest
 * generation again. Until then, the roster knows an earlier generation of the same federation.
 */
async function noteInRoster(roster: string, newest: GenerationIdentity): Promise<void> {
  try {
    await getExternalWorkflowHandle(roster).signal(noteGeneration, identityOf(newest));
  } catch (error) {
    const { code, message: reason } = failureOf(error);
    log.warn('The roster does not know the newest generation yet', { code, reason });
  }
}

/**
 * Publishes the generation, notifies the primaries and cleans up. If one of these steps fails, the commit has still
 * succeeded. The error is therefore only logged, and the next run repeats the step.
 */
async function afterCommit(): Promise<Omit<CommitEnd, 'result'>> {
  const unfinished: string[] = [];
  let calls = noCalls();
  const count = (counted: CallsOf) => {
    calls = addCalls(calls, counted.calls);
  };
  const orLater = async <T>(what: string, work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      const { code, message } = failureOf(error);
      log.error(`${what} is left to the next run`, { code, reason: message });
      unfinished.push(`${what}: ${code}: ${message}`);
      return undefined;
    }
  };
  const published = await orLater('publish', async () => {
    const done = await publishGeneration.executeWithOptions({ summary: 'publish the newest generation' }, []);
    count(done);
    return { generation: done.generation, copied: done.copied, deleted: done.deleted };
  });
  await orLater('notify the primaries', () =>
    notifyPrimaries.executeWithOptions({ summary: 'notify the primaries' }, []),
  );
  await orLater('clean up', async () => count(await cleanUp.executeWithOptions({ summary: 'clean up' }, [])));
  return { ...(published === undefined ? {} : { published }), unfinished, calls };
}
