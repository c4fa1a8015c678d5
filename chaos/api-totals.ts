import { displayText } from '../etl/byte-string';
import { recordsOf } from '../etl/model';
import { specOf } from '../etl/pipelines';
import { recordCost } from '../etl/set-facts';
import { parseWindowId, type Pipeline } from '../etl/window';
import type { Generation } from '../federation/generation';
import { exampleWindow, goldenDay } from '../scripts/demo/example-days';
import { pipelineOf, type Truth } from './truth';

/** Largest relative difference between two totals that count as equal. */
const tolerance = 1e-6;
const answerWithinMs = 10_000;
/** The name by which the API shows the costs of records that name no cluster. */
const noCluster = '__undefined__';

const routes: Readonly<Record<Pipeline, string>> = {
  allocations: 'model/allocation?idle=false',
  assets: 'model/assets?filter=',
};

/**
 * Compares the totals that the primary's API reports for each cluster, over all days of the example, with the sums of
 * the independently merged records. Returns the differences.
 */
export async function apiDifferences(url: string, generation: Generation, truth: Truth): Promise<string[]> {
  const { served } = await ask<{ served: { generation?: number } }>(`${url}/api/status`);
  if (served.generation !== generation.generation)
    return [`it serves generation ${served.generation}, not ${generation.generation}`];
  const differences: string[] = [];
  for (const pipeline of ['allocations', 'assets'] as const) {
    const range = `window=${exampleWindow(goldenDay)}&aggregate=cluster&accumulate=true`;
    const sets = await ask<Record<string, { totalCost: number }>[]>(`${url}/${routes[pipeline]}&${range}`);
    const [found = {}] = Array.isArray(sets) ? sets : [sets];
    differences.push(...compareTotals(pipeline, expectedTotals(truth, pipeline), totalsIn(found)));
  }
  return differences;
}

/** Compares totals by cluster. Returns a sentence for each difference. */
export function compareTotals(
  what: string,
  expected: ReadonlyMap<string, number>,
  found: ReadonlyMap<string, number>,
): string[] {
  return [...new Set([...expected.keys(), ...found.keys()])].flatMap((cluster) => {
    const [wanted = 0, reported = 0] = [expected.get(cluster), found.get(cluster)];
    const isSame = Math.abs(wanted - reported) <= tolerance * Math.max(Math.abs(wanted), Math.abs(reported));
    return isSame ? [] : [`${what} of ${cluster} cost ${reported}, but the records say ${wanted}`];
  });
}

/** Adds up the costs of the daily windows that the included clusters wrote last, by cluster. */
function expectedTotals(truth: Truth, pipeline: Pipeline): Map<string, number> {
  const totals = new Map<string, number>();
  for (const window of truth.windows()) {
    if (pipelineOf(window) !== pipeline || parseWindowId(window)?.resolution !== '1d') continue;
    const set = truth.merged(window);
    for (const [key, record] of recordsOf(set) ?? []) {
      // The API ignores stored idle records, as it computes idle costs itself.
      if (record === null || key.includes('__idle__')) continue;
      const cluster = displayText(specOf(set).clusterOf(record)) || noCluster;
      totals.set(cluster, (totals.get(cluster) ?? 0) + recordCost(pipeline, record as never));
    }
  }
  return totals;
}

function totalsIn(set: Readonly<Record<string, { readonly totalCost: number }>>): Map<string, number> {
  return new Map(Object.entries(set).map(([cluster, { totalCost }]) => [cluster, totalCost]));
}

async function ask<T>(url: string): Promise<T> {
  const response = await fetch(url, { signal: AbortSignal.timeout(answerWithinMs) });
  const { data, message } = (await response.json()) as { data: T; message?: string };
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${message}`);
  return data;
}
