import type { ConditionView, Federation, FederationView, GenerationView } from '../api/contract';
import type { Settings } from '../config/settings';
import { FederationError, isFederationError } from '../errors/federation-error';
import { byBytes } from '../federation/byte-order';
import { quarantineState } from '../federation/generation';
import { keysOf } from '../federation/ids';
import { describeDecision } from '../federation/run';
import type { BucketReader } from '../storage/bucket';
import { notesOnCosts } from './cost-notes';
import { describeSkew } from './describe-skew';
import { diffGenerations } from './diff';
import { generationSize, readNewestGenerations } from './generations';
import { requireCommittable } from './hold';
import { changeMembership, describeChange } from './membership';
import { findNewest } from './newest-generation';
import type { Operator } from './operator';
import { describeOtherBucket } from './other-bucket';
import { promptly } from './promptly';
import { replayRequest } from './replay';
import { readRuns, type Run } from './runs';
import { startFederation } from './start-federation';
import { askedClusters, summarizeCluster, type Survey, surveyBucket, withPushing } from './survey';
import { temporalView } from './temporal-view';
import { listToDo, unmentioned } from './to-do';

/**
 * Maximum number of generations to list. The web page shows no more than this number, and listing a generation means
 * reading its whole document.
 */
const mostGenerations = 30;

/** Time to wait until Temporal has started a run, in milliseconds. */
const answerWithinMs = 10_000;

export interface FederationOptions {
  /** Address of the Temporal UI; undefined if it is not known. */
  readonly temporalUi?: string;
}

/** Returns what the web page needs: views of the federation, and the same actions as on the command line. */
export function federationOf(
  operator: Operator & { readonly settings: Pick<Settings, 'federator'> },
  { temporalUi }: FederationOptions,
): Federation {
  const { namespace, idPrefix } = operator.settings.temporal;
  const workflows =
    temporalUi && `${temporalUi.replace(/\/$/, '')}/namespaces/${encodeURIComponent(namespace)}/workflows`;
  const link = (workflow: string) => workflows && `${workflows}/${encodeURIComponent(workflow)}`;
  const start = async (request: Parameters<typeof startFederation>[2]) => {
    await requireCommittable(operator, request);
    const { client } = await operator.temporal();
    const run = await promptly(client, answerWithinMs, () => startFederation(client, idPrefix, request));
    return { message: `${run} has started.` };
  };
  return {
    status: remembered(surveyEveryMs, async () => {
      const { survey: stored, listed, missing } = await surveyAsAllowed(await operator.bucket());
      const now = Date.now();
      const [view, { runs }] = await Promise.all([
        temporalView(operator, askedClusters(stored)),
        readRuns(operator, 1),
      ]);
      const survey = withPushing(stored, view);
      const otherBucket = await describeOtherBucket(await operator.bucket(), survey, view);
      const clusters = survey.clusters.map((found) => summarizeCluster(found, survey.generation, view, now));
      const toDo = listToDo({ survey, listed, clusters, lastRun: runs[0], view }, operator, new Date(now));
      return {
        clusters: clusters.map(({ windows: _, silence, ...summary }) => ({
          ...summary,
          ...(listed && { silence }),
        })),
        ...(survey.generation?.hold && { hold: survey.generation.hold }),
        notes: survey.generation ? notesOnCosts(survey.generation, now) : [],
        ...(workflows && { temporalUi: workflows }),
        skew: describeSkew(clusters, survey.generation),
        ...(view.schedule !== undefined && { schedule: view.schedule }),
        // If this is the wrong bucket, report only this fact, in `missing`.
        conditions: otherBucket === undefined ? conditionsNow(view, listed ? clusters : []) : [],
        toDo: otherBucket === undefined ? toDo : [],
        missing: [
          ...(otherBucket === undefined ? [] : [otherBucket]),
          ...survey.damage,
          ...missing,
          ...view.missing,
        ],
      };
    }),
    federations: async (limit) => {
      const { runs } = await readRuns(operator, limit);
      return runs.map((run) => viewRun(run, link(run.run)));
    },
    generations: async () =>
      (await readNewestGenerations(await operator.bucket(), mostGenerations)).generations.map(
        ({ hold, replaces, decision, ...generation }): GenerationView => ({
          generation: generation.generation,
          committedAt: generation.committedAt,
          run: generation.run,
          clusters: generation.membership.clusters.length,
          windows: Object.keys(generation.windows).length,
          bytes: generationSize(generation),
          ...(replaces && { replaces: replaces.generation }),
          ...(hold && { hold }),
          ...(decision && { decision }),
          quarantined: generation.quarantined.map((source) => {
            const { cluster, window, code, detail, dropped } = source;
            return {
              cluster,
              window,
              code,
              detail,
              state: quarantineState(source),
              ...(dropped && { dropped }),
            };
          }),
          accepted: generation.accepted.map(({ cluster, window, code, decided }) => ({
            cluster,
            window,
            code,
            decided,
          })),
        }),
      ),
    diff: async (from, to) => diffGenerations(await operator.bucket(), from, to),
    exclude: async (cluster, reason) => {
      const message = { cluster, ...(reason !== undefined && { reason }) };
      return { message: describeChange('exclude', await changeMembership(operator, 'exclude', message)) };
    },
    include: async (cluster) => ({
      message: describeChange('include', await changeMembership(operator, 'include', { cluster })),
    }),
    federate: (why) =>
      start({ trigger: 'person', at: new Date().toISOString(), ...(why !== undefined && { why }) }),
    replay: async (run) => start(await replayRequest(operator, checkedRun(run))),
  };
}

/**
 * Minimum time between two surveys of the bucket, in milliseconds. A survey lists all files of all clusters, and every
 * open page regularly asks for one.
 */
const surveyEveryMs = 60_000;

/** Returns a function that caches the answer of `ask` for `everyMs` milliseconds. Errors are not cached. */
function remembered<T>(everyMs: number, ask: () => Promise<T>): () => Promise<T> {
  let last: { readonly at: number; readonly answer: Promise<T> } | undefined;
  return () => {
    if (last === undefined || Date.now() - last.at > everyMs) {
      const answer = ask();
      last = { at: Date.now(), answer };
      answer.catch(() => (last = undefined));
    }
    return last.answer;
  };
}

function conditionsNow(...found: Parameters<typeof unmentioned>): ConditionView[] {
  return unmentioned(...found).map(({ holds: _, ...condition }) => condition);
}

/**
 * Surveys the whole bucket. If access is denied, reads only Combined Storage, because a cluster that is only a primary
 * may not be allowed to read more. In this case, `listed` is false, and the clusters have no files in the result.
 */
async function surveyAsAllowed(
  bucket: BucketReader,
): Promise<{ survey: Survey; listed: boolean; missing: string[] }> {
  try {
    return { survey: await surveyBucket(bucket), listed: true, missing: [] };
  } catch (error) {
    if (!isFederationError(error, 'STORAGE_ACCESS_DENIED')) throw error;
    const newest = await findNewest(bucket);
    const { clusters = [], excluded = {}, removed = {} } = newest.generation?.membership ?? {};
    const known = [...new Set([...clusters, ...keysOf(excluded), ...keysOf(removed)])].sort(byBytes);
    return {
      survey: { clusters: known.map((cluster) => ({ cluster, files: [] })), ...newest },
      listed: false,
      missing: ['The last pushes are unknown: this cluster has access to Combined Storage only.'],
    };
  }
}

/**
 * Returns the name of a run if it is valid; otherwise throws RUN_NOT_FOUND. The check matters because the name becomes
 * part of a key in the bucket.
 */
function checkedRun(run: string): string {
  if (/^[^/\p{Cc}]{1,255}$/u.test(run) && !run.includes('..')) return run;
  throw new FederationError('RUN_NOT_FOUND', { detail: 'This is not a valid run name.' });
}

function viewRun(
  { run, outcome, request, report, startedAt = request?.at, endedAt, error }: Run,
  link: string | undefined,
): FederationView {
  const change = request && describeDecision(request);
  return {
    run,
    outcome,
    ...(request && { trigger: request.trigger }),
    ...(request?.why !== undefined && { why: request.why }),
    ...(request?.by !== undefined && { by: request.by }),
    ...(change !== undefined && { change }),
    ...(request?.replayOf !== undefined && { replayOf: request.replayOf }),
    ...(startedAt !== undefined && { startedAt }),
    ...(endedAt !== undefined && { endedAt }),
    ...(error !== undefined && { error }),
    ...(report && {
      generation: report.generation,
      clusters: report.clusters,
      windows: report.windows,
      quarantined: report.quarantined,
      excluded: report.excluded,
      nameConflicts: report.nameConflicts,
      warnings: report.warnings,
    }),
    ...(link && { link }),
  };
}
