import type { Catalog } from './catalog';
import { cover, type Covering } from './covering';
import { shortList } from './notes';
import type { AllocationRequest } from './request';
import { Bindings, unnested } from './sql';
import type { Statements } from './statements';
import type { Steps } from './steps';
import type { Sum } from './sums';

/**
 * Fills a temp table with the window files that a query reads. Each row contains a file, the step in which the file is
 * counted, and the period (result set) of this step.
 *
 * Returns true if the query uses all clusters in each of these files. The table then has one row per file, and joins
 * with it need not compare clusters. Otherwise returns false, and the table has one row per file and cluster.
 */
export async function pick(
  statements: Statements,
  table: 'pick' | 'asset_pick',
  catalog: Catalog,
  { picks }: Covering,
  { periodOf }: Pick<Steps, 'periodOf'>,
): Promise<boolean> {
  const sizes = new Map(catalog.files.map(({ id, records }) => [id, records.size]));
  const found = new Map<number, number>();
  for (const { file } of picks) found.set(file, (found.get(file) ?? 0) + 1);
  const whole = [...found].every(([file, count]) => sizes.get(file) === count);
  const listed = whole ? [...new Map(picks.map((one) => [one.file, one])).values()] : picks;
  const bindings = new Bindings();
  const columns = unnested({
    step: bindings.integers(listed.map(({ step }) => step)),
    period: bindings.integers(listed.map(({ step }) => periodOf[step] ?? 0)),
    file: bindings.integers(listed.map(({ file }) => file)),
    cluster: bindings.integers(listed.map(({ cluster }) => cluster)),
  });
  await statements.run(`create or replace temp table ${table} as select ${columns}`, bindings.values);
  return whole;
}

/** Describes the assets that a query reads. The temp table `asset_pick` lists their window files. */
export interface PickedAssets {
  readonly wholeFiles: boolean;
  /** Returns whether a cluster has any assets in a step. */
  has(this: void, place: Pick<Sum, 'step' | 'cluster'>): boolean;
  readonly notes: readonly string[];
}

/**
 * Fills the temp table `asset_pick` with the window files of the assets that a query needs. If clusters have
 * allocations but no assets, their idle and management costs are not known. In this case, `notes` contains a warning
 * that lists these clusters.
 */
export async function pickAssets(
  statements: Statements,
  catalog: Catalog,
  steps: Steps,
  { idle, now }: AllocationRequest,
  sums: readonly Sum[],
): Promise<PickedAssets> {
  const covering = cover(catalog, 'assets', steps.steps, now);
  const wholeFiles = await pick(statements, 'asset_pick', catalog, covering, steps);
  const found = new Set(covering.picks.map(({ step, cluster }) => `${step} ${cluster}`));
  const has: PickedAssets['has'] = ({ step, cluster }) => found.has(`${step} ${cluster}`);
  const without = new Set(sums.filter((sum) => !has(sum)).map(({ cluster }) => cluster));
  const names = [...without].map((cluster) => catalog.clusters.get(cluster) ?? '').sort();
  const what = idle.include ? 'Idle is' : 'Management costs are';
  const notes =
    names.length === 0 ? [] : [`${what} not known where there are no assets: ${shortList(names)}.`];
  return { wholeFiles, has, notes };
}
