import type { Pace } from '../concurrency/pace';
import { FederationError } from '../errors/federation-error';
import type { AssetAnswer, AssetRow, AssetSet } from './answer';
import { commonLabels, dependsOnLabels, findAssetTwins, type Labels, readLabelSets } from './asset-labels';
import { toAssetRow } from './asset-row';
import { type AssetSource, sourceTable } from './asset-source';
import { gatherAssets } from './asset-sums';
import type { Catalog } from './catalog';
import { peaksOf } from './covering';
import { cover } from './covering';
import { type Row, rowsOf } from './database';
import { describeData } from './notes';
import type { Peaks } from './peaks';
import { pick } from './pick';
import type { AssetRequest } from './request';
import { Bindings } from './sql';
import { paceOf, type Statements } from './statements';
import { cutSteps } from './steps';

/**
 * Answers a query for assets. `catalog` must describe the data that the transaction of `statements` sees. Throws
 * QUERY_TOO_LARGE if the result has more than `mostRows` rows.
 */
export async function answerAssets(
  statements: Statements,
  catalog: Catalog,
  request: AssetRequest,
  mostRows: number,
): Promise<AssetAnswer> {
  const steps = cutSteps(request.window, request.step, request.accumulate);
  const covering = cover(catalog, 'assets', steps.steps, request.now);
  const wholeFiles = await pick(statements, 'asset_pick', catalog, covering, steps);
  // Find the assets whose labels changed during a time step. Only queries that filter or group by labels need them.
  const substituted = dependsOnLabels(request) && (await findAssetTwins(statements, wholeFiles));
  const source: AssetSource = { request, wholeFiles, substituted };
  const groups = await readGroups(statements, source, peaksOf(catalog, covering), mostRows);
  const labels = groups.length === 0 ? new Map<string, Labels>() : await readLabelSets(statements, source);
  const pace = paceOf(statements);
  const byPeriod = await pace.groupBy(groups, (row) => Number(row['period']));
  const sets: AssetSet[] = [];
  for (const [period, window] of steps.periods.entries()) {
    const rows = await pace.map(byPeriod.get(period) ?? [], (row) =>
      toAssetRow(row, labelsOf(row, labels), window),
    );
    sets.push({ window, rows: await shown(pace, rows, request) });
  }
  return {
    sets,
    window: request.window,
    warnings: describeData(catalog, 'assets', covering, request),
    ...(catalog.generation !== undefined && { generation: catalog.generation }),
  };
}

async function readGroups(
  statements: Statements,
  source: AssetSource,
  peaks: Peaks,
  mostRows: number,
): Promise<Row[]> {
  const bindings = new Bindings();
  const rows = await rowsOf(
    statements,
    `${sourceTable(source, bindings)}
${gatherAssets('period, key', peaks)} limit ${mostRows + 1}`,
    bindings.values,
  );
  if (rows.length > mostRows) {
    throw new FederationError('QUERY_TOO_LARGE', {
      detail: `The answer has more assets than api.limits.rows allows, ${mostRows}.`,
    });
  }
  return rows;
}

/** Returns the labels that all assets of a row have in common. */
function labelsOf(row: Row, sets: ReadonlyMap<string, Labels>): Labels {
  const names = row['label_sets'] as readonly string[];
  return commonLabels([...names].sort().map((name) => sets.get(name) ?? {}));
}

async function shown(
  pace: Pace,
  rows: readonly AssetRow[],
  { offset, limit }: AssetRequest,
): Promise<AssetRow[]> {
  const sorted = await pace.sort(rows, (a, b) => b.totalCost - a.totalCost || (a.key < b.key ? -1 : 1));
  return sorted.slice(offset, limit === undefined ? undefined : offset + limit);
}
