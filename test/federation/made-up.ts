import { clusterId } from '../../etl/cluster-id';
import { parseWindowId, type WindowId, windowId } from '../../etl/window';
import { Candidates, type ListedFile } from '../../federation/candidates';
import type { Decided } from '../../federation/change';
import { fingerprint, type FingerprintSource } from '../../federation/fingerprint';
import type { AcceptedSource, Generation, QuarantinedSource } from '../../federation/generation';
import type { Exclusion, Membership } from '../../federation/membership';
import { mergeRevision } from '../../federation/merge-revision';
import type { PlannedNames } from '../../federation/plan-names';
import type { FederationReport } from '../../federation/run';
import { noCalls } from '../../federation/store-calls';
import type { Version } from '../../storage/bucket';

/** Returns the id of a one-day window. `number` selects one of the made-up days. */
export function dayWindow(number: number): WindowId {
  const start = 1_794_614_400 + number * 86_400;
  return windowId({ pipeline: 'allocations', resolution: '1d', window: { start, end: start + 86_400 } });
}

export function file(
  cluster: string,
  window: WindowId,
  version = 'v1',
  more: Partial<ListedFile> = {},
): ListedFile {
  return {
    cluster: clusterId(cluster),
    window,
    path: window,
    plain: true,
    version: version as Version,
    size: 10,
    modified: 1_000,
    ...more,
  };
}

export function candidates(files: Iterable<ListedFile>): Candidates {
  const found = new Candidates();
  for (const file of files) found.add(file);
  return found;
}

export function membership(clusters: string[], more: Partial<Membership> = {}): Membership {
  return {
    federator: 'f',
    scope: { exclude: [] },
    roster: 'r',
    exclusions: {},
    clusters: clusters.map(clusterId),
    excluded: {},
    removed: {},
    ...more,
  };
}

/** Makes the report of a run that merged two windows of two clusters. */
export function reportOf(
  run: string,
  more: Pick<FederationReport, 'startedAt' | 'endedAt'> & Partial<FederationReport>,
): FederationReport {
  return {
    format: 1,
    run,
    workflowRunId: 'w',
    outcome: 'complete',
    clusters: 2,
    excluded: [],
    windows: { all: 2, planned: 2, merged: 2, reused: 0, removed: 0 },
    quarantined: 0,
    shrunk: 0,
    unfinished: [],
    calls: noCalls(),
    ...more,
  };
}

export const out: Exclusion = { reason: '', at: '2026-11-20T00:00:00Z' };

export function used(cluster: string, seen = 'v1'): FingerprintSource {
  return { cluster, seen, decision: 'used' };
}

export function named(window: string, ...sources: FingerprintSource[]): string {
  const ref = parseWindowId(window);
  if (ref === undefined) throw new Error(window);
  return fingerprint(ref, sources);
}

/** The names of a plan without conflicts: no cluster's records contain a name that another cluster owns. */
export const noNames: PlannedNames = {
  names: {},
  nameConflicts: {},
  known: [],
  recheck: new Set(),
  freed: new Set(),
};

/** Returns a generation whose windows were merged from the given sources. */
export function generation(
  windows: Record<string, FingerprintSource[]>,
  members: Membership,
  more: Partial<Generation> = {},
): Generation {
  const digest = 'd'.repeat(64);
  return {
    format: 1,
    federation: 'f-1',
    generation: 1,
    run: 'run-1',
    committedAt: '2026-11-20T00:00:00Z',
    mergeRevision,
    program: '0.1.0',
    membership: members,
    windows: Object.fromEntries(
      Object.entries(windows).map(([window, sources]) => [
        window,
        { fingerprint: named(window, ...sources), digest, size: 1 },
      ]),
    ),
    quarantined: [],
    accepted: [],
    notices: [],
    writers: {},
    names: {},
    nameConflicts: {},
    shrunk: [],
    ...more,
  };
}

export function quarantinedSource(
  cluster: string,
  window: WindowId,
  more: Partial<QuarantinedSource> = {},
): QuarantinedSource {
  return {
    cluster: clusterId(cluster),
    window,
    seen: 'bad' as Version,
    code: 'ETL_CORRUPT',
    detail: '',
    ...more,
  };
}

export const decided: Decided = { by: 'ann@host', reason: 'it is empty', at: '2026-11-20T13:00:00Z' };

export function acceptedSource(
  cluster: string,
  window: WindowId,
  more: Partial<AcceptedSource> = {},
): AcceptedSource {
  return {
    cluster: clusterId(cluster),
    window,
    seen: 'bad' as Version,
    code: 'SOURCE_EMPTIED',
    decided,
    ...more,
  };
}
