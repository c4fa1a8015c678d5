import type { Pace } from '../concurrency/pace';
import { addDetails } from './allocation-details';
import { readRows } from './allocation-rows';
import { hasRolledUpSums, isRolledUp, mixedWorkloads, type SourceOptions } from './allocation-source';
import type { AllocationAnswer, AllocationSet } from './answer';
import type { Catalog } from './catalog';
import { peaksOf } from './covering';
import { cover } from './covering';
import { rowsOf } from './database';
import type { FoundRow } from './found-row';
import { idleRows, readIdle } from './idle-rows';
import { describeData } from './notes';
import { pick, pickAssets } from './pick';
import type { AllocationRequest } from './request';
import { isSharing, sharedAmounts, tenancyFactors } from './shares';
import { sortRows } from './sort-rows';
import { Bindings } from './sql';
import { paceOf, type Statements } from './statements';
import { cutSteps, type Steps } from './steps';
import { readSums } from './sums';
import { substituteTwins } from './twins';

/**
 * Answers a query for allocations. `catalog` must describe the data that the transaction of `statements` sees. Throws
 * QUERY_TOO_LARGE if the result has more than `mostRows` rows.
 */
export async function answerAllocations(
  statements: Statements,
  catalog: Catalog,
  request: AllocationRequest,
  mostRows: number,
): Promise<AllocationAnswer> {
  const steps = cutSteps(request.window, request.step, request.accumulate);
  const covering = cover(catalog, 'allocations', steps.steps, request.now);
  const wholeFiles = await pick(statements, 'pick', catalog, covering, steps);
  const rolledUp = isRolledUp(request) && !catalog.twins.controllers;
  const mixed = await areMixed(statements, request);
  const substituted =
    catalog.twins.any && (request.aggregatedMetadata || ((!rolledUp || mixed) && dependsOnTwins(request)));
  if (substituted) await substituteTwins(statements, wholeFiles);
  const { controllers: controllersDiffer } = catalog.twins;
  const source: SourceOptions = {
    ...{ request, rolledUp, mixed, peaks: peaksOf(catalog, covering) },
    ...{ wholeFiles, substituted, controllersDiffer },
  };

  const sums = needsSums(request)
    ? await readSums(
        statements,
        catalog,
        await sumsSource(statements, source),
        isSharing(request) || request.sharing.tenancy,
      )
    : [];
  const assets = needsAssets(request)
    ? await pickAssets(statements, catalog, steps, request, sums)
    : undefined;
  const idle =
    assets !== undefined && request.idle.include
      ? await readIdle(statements, catalog, request, steps, assets, sums)
      : [];
  const tenancy =
    assets !== undefined && request.sharing.tenancy
      ? await tenancyFactors(statements, request, assets.wholeFiles, sums)
      : { factors: [], notes: [] };
  const shared = await sharedAmounts(statements, source, steps, sums, idle);
  const rows = await readRows(
    statements,
    source,
    steps,
    { shared, idle, tenancy: tenancy.factors },
    mostRows,
  );
  const sets = await toSets(
    statements,
    [...rows, ...idleRows(idle, catalog, request, steps)],
    steps,
    request,
  );
  const visible = sets.flatMap((set) => set.rows);
  if (request.details !== false) await addDetails(statements, source, visible);
  return {
    sets,
    window: request.window,
    warnings: [
      ...describeData(catalog, 'allocations', covering, request),
      ...(assets?.notes ?? []),
      ...tenancy.notes,
      ...shared.notes,
    ],
    ...(catalog.generation !== undefined && { generation: catalog.generation }),
  };
}

/**
 * Returns the options for `readSums`. They contain no groups, because the sums do not depend on how the query groups
 * its rows.
 */
async function sumsSource(statements: Statements, source: SourceOptions): Promise<SourceOptions> {
  const request = { ...source.request, groups: [] };
  const rolledUp = hasRolledUpSums(request) && !source.controllersDiffer;
  return { ...source, request, rolledUp, mixed: await areMixed(statements, request) };
}

/**
 * Returns whether any workload has allocations that differ in a label or annotation that the request uses. If so,
 * rolled-up rows (one per workload and window file) are not enough, and the individual allocations of these workloads
 * have to be read.
 */
async function areMixed(statements: Statements, request: AllocationRequest): Promise<boolean> {
  const bindings = new Bindings();
  const which = mixedWorkloads(request, bindings);
  if (which === undefined) return false;
  const rows = await rowsOf(statements, `select 1 from workload where ${which} limit 1`, bindings.values);
  return rows.length > 0;
}

/**
 * Returns whether the result depends on labels, services or controllers. If one of these changes during a time step, a
 * container has several rows in the table `identity`. These rows then have to be merged for this time step.
 */
function dependsOnTwins({ groups, filter, sharing }: AllocationRequest): boolean {
  const inName = new Set(['cluster', 'node', 'namespace', 'pod', 'container']);
  const grouped = groups.some((group) => group.kind !== 'field' || !inName.has(group.field));
  return grouped || filter !== undefined || sharing.labels.length > 0;
}

function needsSums(request: AllocationRequest): boolean {
  return needsAssets(request) || isSharing(request);
}

function needsAssets({ idle, sharing }: AllocationRequest): boolean {
  return idle.include || sharing.tenancy;
}

async function toSets(
  statements: Statements,
  rows: readonly FoundRow[],
  { periods }: Steps,
  request: AllocationRequest,
): Promise<(AllocationSet & { readonly rows: readonly FoundRow[] })[]> {
  const pace = paceOf(statements);
  const byPeriod = await pace.groupBy(rows, ({ period }) => period);
  const sets = [];
  for (const [period, window] of periods.entries()) {
    sets.push({ window, rows: await page(pace, byPeriod.get(period) ?? [], request) });
  }
  return sets;
}

/**
 * Sorts the rows and returns one page of them. `offset` and `limit` do not count rows of idle cost, because these are
 * repeated on every page. However, if the offset is beyond all other rows, the page is empty.
 */
async function page(
  pace: Pace,
  rows: readonly FoundRow[],
  { sort, offset, limit }: AllocationRequest,
): Promise<FoundRow[]> {
  const sorted = await sortRows(pace, rows, sort);
  if (offset === 0 && limit === undefined) return sorted;
  const isIdle = ({ sample }: FoundRow) => sample === undefined;
  const others = sorted.filter((row) => !isIdle(row));
  const shown = new Set(others.slice(offset, limit === undefined ? undefined : offset + limit));
  if (shown.size === 0 && offset > 0) return [];
  return sorted.filter((row) => isIdle(row) || shown.has(row));
}
