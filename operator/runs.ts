import { mapConcurrently } from '../concurrency/map-concurrently';
import { FederationError, isFederationError } from '../errors/federation-error';
import { knownError } from '../errors/known-error';
import { type Damage, examineDocument } from '../federation/document';
import { documents } from '../federation/documents';
import { parseRunKey, runsPrefix } from '../federation/layout';
import type { FederationReport, FederationRequest } from '../federation/run';
import type { BucketReader } from '../storage/bucket';
import {
  isUnsuccessful,
  joinRun,
  newestFirst,
  type Run,
  type StoredRun,
  type TemporalRun,
} from './join-runs';
import { briefTimeoutMs, type Operator } from './operator';
import { promptly } from './promptly';
import { errorOfRun, findTemporalRun, listTemporalRuns } from './temporal-runs';

export type { Run } from './join-runs';

export interface FoundRuns {
  readonly runs: readonly Run[];
  /** Sentences that say what is unknown because the bucket cannot be read or Temporal does not answer. */
  readonly missing: readonly string[];
  /** Sentences that say which requests and reports of these runs are damaged. */
  readonly damaged: readonly string[];
  /**
   * Why the bucket cannot be read. In that case, only the runs that Temporal knows are returned. Undefined if the
   * bucket can be read.
   */
  readonly bucketError?: FederationError;
}

/**
 * Reads up to `limit` runs from the bucket and Temporal, newest first. If `failed`, reads only runs that failed, died,
 * were cancelled, or may have died. If only one of the bucket and Temporal answers, returns the runs that this one
 * knows.
 *
 * @throws FederationError of the store if neither the bucket nor Temporal answers
 */
export async function readRuns(operator: Operator, limit: number, failed = false): Promise<FoundRuns> {
  const temporal = await askTemporal(operator, limit, failed);
  try {
    const bucket = await operator.bucket();
    const { runs, damaged } = await collectRuns(runsIn(bucket), temporal, limit, failed);
    return { runs, damaged, missing: temporal.missing };
  } catch (error) {
    if (!isStoreFailure(error) || !temporal.answers) throw error;
    return {
      ...(await collectRuns(noRuns, temporal, limit, failed)),
      missing: [
        `The bucket cannot be read, so only runs that Temporal knows are shown: ${error.code}: ${error.detail}`,
      ],
      bucketError: error,
    };
  }
}

/** Returns whether an error says that the bucket cannot be read. */
export function isStoreFailure(error: unknown): error is FederationError {
  return isFederationError(error) && error.code.startsWith('STORAGE_');
}

/** The runs that the bucket knows. */
interface StoredRuns {
  names(): Promise<string[]>;
  read(run: string): Promise<StoredRun & StoredDamage>;
}

interface StoredDamage {
  /** The run's documents in the bucket that are damaged. */
  readonly damaged: readonly Damage[];
}

const noRuns: StoredRuns = { names: async () => [], read: async () => ({ damaged: [] }) };

function runsIn(bucket: BucketReader): StoredRuns {
  return {
    async names() {
      const found: string[] = [];
      for await (const entry of bucket.list(runsPrefix, { delimiter: '/' })) {
        const parsed = entry.kind === 'prefix' ? parseRunKey(entry.prefix) : undefined;
        if (parsed !== undefined) found.push(parsed.run);
      }
      return found;
    },
    async read(run) {
      const [request, report] = await Promise.all([
        examineDocument(bucket, documents.runRequest.at(run)),
        examineDocument(bucket, documents.runReport.at(run)),
      ]);
      return {
        request: request.value,
        report: report.value,
        damaged: [request.damage, report.damage].filter((damage) => damage !== undefined),
      };
    },
  };
}

/** The runs that Temporal knows. */
interface TemporalRuns {
  readonly answers: boolean;
  readonly runs: readonly TemporalRun[];
  readonly missing: readonly string[];
  /** Looks for a run that is not in `runs`. Returns `silent` if Temporal does not answer. */
  find(run: string): Promise<TemporalRun | undefined | 'silent'>;
  errorOf(run: TemporalRun): Promise<Run['error']>;
}

/** Time limit of a request to Temporal, in milliseconds. Without it, a request waits until the server is back. */
const answerWithinMs = 5_000;

async function askTemporal(operator: Operator, limit: number, failed: boolean): Promise<TemporalRuns> {
  const { idPrefix } = operator.settings.temporal;
  try {
    const { client } = await operator.temporal({ timeoutMs: briefTimeoutMs });
    return {
      answers: true,
      runs: await promptly(client, answerWithinMs, () => listTemporalRuns(client, idPrefix, limit, failed)),
      missing: [],
      find: (run) =>
        promptly(client, answerWithinMs, () => findTemporalRun(client, idPrefix, run)).catch(
          () => 'silent' as const,
        ),
      errorOf: (run) =>
        promptly(client, answerWithinMs, () => errorOfRun(client, run)).catch(() => undefined),
    };
  } catch (error) {
    const why = knownError(error).detail;
    return {
      answers: false,
      runs: [],
      missing: [
        `Runs that never reached the bucket are not shown, because Temporal does not list them: ${why}`,
      ],
      find: async () => 'silent',
      errorOf: async () => undefined,
    };
  }
}

async function collectRuns(
  stored: StoredRuns,
  temporal: TemporalRuns,
  limit: number,
  failed: boolean,
): Promise<Pick<FoundRuns, 'runs' | 'damaged'>> {
  const known = new Map(temporal.runs.map((run) => [run.run, run]));
  const names = newestFirst(await stored.names(), [...known.keys()]);
  const runs: Run[] = [];
  const damaged = new Map<string, readonly Damage[]>();
  for (let at = 0; at < names.length && runs.length < limit; at += limit) {
    const batch = await mapConcurrently(names.slice(at, at + limit), 16, readOne);
    runs.push(...batch.filter((run) => !failed || isUnsuccessful(run) || run.outcome === 'unknown'));
  }
  const shown = runs.slice(0, limit);
  return { runs: shown, damaged: shown.flatMap(({ run }) => (damaged.get(run) ?? []).map(describeDamage)) };

  async function readOne(run: string): Promise<Run> {
    const found = await stored.read(run);
    damaged.set(run, found.damaged);
    if (found.report !== undefined && found.request !== undefined) return joinRun(run, found, undefined);
    const isDamaged = found.damaged.some(({ key }) => key === documents.runReport.at(run).key);
    const inTemporal = known.get(run) ?? (await temporal.find(run)) ?? (isDamaged ? 'silent' : undefined);
    const needsError = found.report === undefined && inTemporal !== undefined && inTemporal !== 'silent';
    const error = needsError ? await temporal.errorOf(inTemporal) : undefined;
    return joinRun(run, found, inTemporal, error);
  }
}

/** Returns a text that says which document of a run is damaged, and what the consequences are. */
export function describeDamage({ key, detail }: Damage): string {
  return `${key} is damaged, so what it says about the run is not shown: ${detail} Nothing else needs it; the clean-up deletes it with the run.`;
}

/** Summary of a federation run. `runs --json` prints a list of these summaries. Times are in RFC 3339 format. */
export interface RunSummary extends Pick<Run, 'run' | 'outcome'> {
  readonly trigger?: FederationRequest['trigger'];
  /** The person who requested the run, as `name@host`; undefined if no person requested it. */
  readonly by?: string;
  /** A person's decision that the run commits. */
  readonly change?: FederationRequest['change'];
  readonly why?: string;
  /** Name of the run that this one replays. */
  readonly replayOf?: string;
  readonly requestedAt?: string;
  readonly startedAt?: string;
  readonly endedAt?: string;
  readonly generation?: number;
  readonly windows?: FederationReport['windows'];
  /** Number of quarantined sources. */
  readonly quarantined?: number;
  /** Number of sources that lost a large part of their data but were merged, because their windows were still young. */
  readonly shrunk?: number;
  /** Number of calls to the store, by operation, and number of bytes that these calls read and wrote. */
  readonly calls?: FederationReport['calls'];
  /** Steps that failed after the commit. The next run repeats them. */
  readonly unfinished?: FederationReport['unfinished'];
  readonly warnings?: FederationReport['warnings'];
  /** One sentence for each cluster whose records contain names of other clusters. */
  readonly nameConflicts?: FederationReport['nameConflicts'];
  readonly error?: FederationReport['error'];
}

/** Summarizes a run. */
export function summarizeRun({ run, outcome, request, report, startedAt, endedAt, error }: Run): RunSummary {
  return {
    run,
    outcome,
    trigger: request?.trigger,
    by: request?.by,
    change: request?.change,
    why: request?.why,
    replayOf: request?.replayOf,
    requestedAt: request?.at,
    startedAt,
    endedAt,
    generation: report?.generation,
    windows: report?.windows,
    quarantined: report?.quarantined,
    shrunk: report?.shrunk,
    calls: report?.calls,
    unfinished: report?.unfinished,
    warnings: report?.warnings,
    nameConflicts: report?.nameConflicts,
    error,
  };
}
