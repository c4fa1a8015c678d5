import { log, proxyActivities, setCurrentDetails } from '@temporalio/workflow';
import type { CommitResult } from '../activities/commit-generation';
import type { CallsOf, FederationActivities } from '../activities/federation-activities';
import { addCalls, noCalls, type StoreCalls } from '../federation/store-calls';
import { failureOf } from './attempts';
import { asRunFailure } from './failure';
import { longActivity } from './retries';

export interface CommitInput {
  readonly run: string;
  readonly attempt: number;
}

/** What became of a commit, and of what follows it. */
export interface CommitEnd {
  readonly result: CommitResult;
  readonly published?: { readonly generation: number; readonly copied: number; readonly deleted: number };
  /** What followed the commit and failed: the next run does it again. */
  readonly unfinished: readonly string[];
  /** Calls to the store of all its steps. */
  readonly calls: StoreCalls;
}

const { commitGeneration, publishGeneration, tellPrimaries, cleanUp } =
  proxyActivities<FederationActivities>(longActivity);

/**
 * Commits a generation, publishes it, tells the primaries and cleans up. It always has the same id: Temporal's
 * uniqueness of ids is the lock that lets one commit happen at a time inside a namespace.
 */
export async function commit(input: CommitInput): Promise<CommitEnd> {
  try {
    const answer = await commitGeneration.executeWithOptions({ summary: `commit ${input.run}` }, [input]);
    const { calls, ...result } = answer;
    if (result.status === 'replan') return { result, unfinished: [], calls };
    setCurrentDetails(`Generation **${result.generation}** ${result.status}`);
    const after = await afterCommit();
    return { result, ...after, calls: addCalls(calls, after.calls) };
  } catch (error) {
    throw asRunFailure(error);
  }
}

/** From here on the generation stands. What fails now is done by the next run; it must not look like a failed commit. */
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
  await orLater('tell the primaries', () =>
    tellPrimaries.executeWithOptions({ summary: 'tell the primaries' }, []),
  );
  await orLater('clean up', async () => count(await cleanUp.executeWithOptions({ summary: 'clean up' }, [])));
  return { ...(published === undefined ? {} : { published }), unfinished, calls };
}
