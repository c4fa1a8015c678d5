import type { Log } from '../config/log';
import { parseWindowId } from '../etl/window';
import { count } from '../federation/count';
import type { Found } from '../federation/found';
import type { Generation, Hold } from '../federation/generation';
import { describeHold } from '../federation/hold';
import { describeNameConflict } from '../federation/name-conflicts';
import type { Notice } from '../federation/notices';
import { describeRemoved } from '../federation/removal';
import { shorten } from '../federation/run';
import type { DecidedSources } from '../federation/source-decisions';
import type { DrawnPlan } from './drawn-plan';

/** Maximum number of ids in one log message, to keep it readable. */
const mostNamed = 50;

/**
 * Logs the result of planning: the clusters that are included, excluded or removed, and the windows to merge.
 *
 * @param known the other federators that earlier runs have logged. They are logged again only at level `debug`. This
 *   function adds new ones.
 */
export function logPlan(log: Log, plan: DrawnPlan, known: Set<string>): void {
  if (plan.heldBy !== undefined) return logHold(log, plan.heldBy);
  const { clusters, excluded } = plan.membership;
  const { listing } = plan;
  log.info(
    {
      event: 'federation.planned',
      outcome: plan.outcome,
      clusters: clusters.length,
      windows: plan.windows.length,
      removed: plan.removed.length,
      listing: listing.kind,
      why: listing.why,
    },
    `Federator found ${count(clusters.length, 'cluster')}: ${named(clusters)}; ` +
      `${count(plan.windows.length, 'window')} to merge, ${plan.carried.length} unchanged` +
      (plan.removed.length === 0 ? '' : `, ${plan.removed.length} older than the retention`) +
      (listing.kind !== 'recent' ? '' : `; windows that ended before ${atTime(listing.since)} are skipped`),
  );
  const base = plan.baseGeneration;
  if (base !== undefined && base.membership.federator !== plan.membership.federator) {
    const other = base.membership.federator;
    log[known.has(other) ? 'debug' : 'warn'](
      { event: 'federation.another-federator', federator: other, generation: base.generation },
      `Federator is not the only one: the federator of ${other} committed generation ${base.generation}. That is safe, but not recommended. If ${other} is an earlier name of this cluster, all is well`,
    );
    known.add(other);
  }
  if (plan.decision !== undefined) logDecision(log, plan.decision);
  for (const [cluster, { by, reason }] of Object.entries(excluded)) {
    log.info(
      { event: 'federation.excluded', cluster, by, reason },
      `Federator excludes ${cluster}: ${reason}`,
    );
  }
  for (const [cluster, conflict] of Object.entries(plan.names.nameConflicts)) {
    log.warn(
      { event: 'cluster.name-taken', cluster, names: conflict.names },
      `Federator merges nothing new of ${cluster}: ${describeNameConflict(cluster, conflict)}`,
    );
  }
  for (const cluster of plan.withoutWindows) {
    log.debug({ event: 'federation.without-windows', cluster }, `Federator found no window of ${cluster}`);
  }
  for (const found of plan.found) logFound(log, found);
  for (const { cluster, decision, pushes } of plan.ignored) {
    const { by, reason, at } = decision;
    log[pushes ? 'warn' : 'info'](
      { event: 'federation.removed', cluster, by, reason, at, pushes },
      `Federator ignores ${cluster}: ${describeRemoved(decision)}${pushes ? ', still pushing' : ''}`,
    );
  }
  for (const notice of plan.notices) logNotice(log, notice, plan.baseGeneration);
  for (const { cluster, window, taken, ignored } of plan.duplicates) {
    log.warn(
      { event: 'federation.duplicate', cluster, window, taken, ignored },
      `${prefix(window)} ${cluster} has more than one file of a window: takes ${taken}, ignores ${ignored}`,
    );
  }
}

function logDecision(log: Log, { change, decided: { by, reason }, sources, outdated }: DecidedSources): void {
  const { kind, cluster } = change;
  log.info(
    { event: 'federation.decided', kind, cluster, sources: sources.length, outdated, by, reason },
    `Federator ${kind}s ${count(sources.length, 'source')} of ${cluster}, as decided by ${by}` +
      (reason === '' ? '' : `: ${reason}`) +
      (outdated === 0 ? '' : `; ${outdated} more are no longer listed as they were then`),
  );
}

/** Logs a notice about a cluster's folder as a warning, unless the last generation already has the same notice. */
function logNotice(log: Log, { cluster, code, count: files, example }: Notice, base?: Generation): void {
  const known = base?.notices.some((notice) => notice.cluster === cluster && notice.code === code) === true;
  log[known ? 'debug' : 'warn'](
    { event: 'federation.noticed', cluster, code, files, path: example },
    `Federator noticed in the folder of ${cluster}: ${code}, ${count(files, 'file')}, such as ${example}`,
  );
}

function logHold(log: Log, hold: Hold): void {
  log.warn({ event: 'federation.on-hold', ...hold }, `Federator: ${describeHold(hold)}`);
}

function logFound(log: Log, { pipeline, resolution, planned, carried, clusters }: Found): void {
  const name = `Federator[${pipeline}][${resolution}]`;
  const ids = [...clusters.keys()];
  log.info(
    { event: 'federation.found', clusters: ids.length, planned, carried },
    `${name} found ${count(ids.length, 'cluster')}: ${named(ids)}; ${count(planned, 'window')} to merge, ${carried} unchanged`,
  );
  for (const [cluster, { files, planned: due }] of clusters) {
    log.debug(
      { event: 'federation.checked', cluster, files, planned: due },
      `${name} checked ${cluster} for modified files: ${due} of ${files} belong to windows to merge`,
    );
  }
}

/**
 * Returns the prefix of log messages about a window, such as `Federator[allocations][1d]`. It can be used to filter the
 * log.
 */
export function prefix(window: string): string {
  const ref = parseWindowId(window);
  return ref === undefined ? 'Federator' : `Federator[${ref.pipeline}][${ref.resolution}]`;
}

/** Formats a time in unix seconds as `2026-11-14T12:30Z`. */
export function atTime(seconds: number): string {
  return `${new Date(seconds * 1_000).toISOString().slice(0, 16)}Z`;
}

function named(ids: readonly string[]): string {
  const { count: all, ids: first } = shorten(ids, mostNamed);
  if (all === 0) return 'none';
  return first.join(', ') + (all > first.length ? `, and ${all - first.length} more` : '');
}
