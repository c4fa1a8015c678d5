import type { SourceOptions } from './allocation-source';
import type { LoadBalancerUse, PersistentVolumeUse } from './answer';
import { besideRows, rowFinder } from './beside-rows';
import { compareTexts } from './compare-texts';
import type { Row } from './database';
import { exactSum } from './exact-sum';
import type { FoundRow } from './found-row';
import { peakOf } from './peaks';
import { paceOf, type Statements } from './statements';

/** Maximum number of volumes, and also of load balancers, in the lists of a row. The most expensive ones are listed. */
const mostListed = 1_000;
const others = '__other__';

/**
 * Adds lists of volumes and load balancers to rows. OpenCost's types have no field for the total cost of the volumes,
 * so clients add up the entries of the list. Therefore the entries must always add up to the cost in the row.
 */
export async function addVolumes(
  statements: Statements,
  source: SourceOptions,
  rows: readonly FoundRow[],
): Promise<void> {
  const pace = paceOf(statements);
  const rowOf = await rowFinder(statements, rows);
  const byRow = (found: readonly Row[]) => pace.groupBy(found, rowOf);
  const { peaks } = source;
  const volumes = await besideRows(
    statements,
    { ...source, from: 'allocation_pv' },
    `max(pv_provider_id) as provider_id,
  ${exactSum('byte_hours', peakOf(peaks, 'pvs.byteHours'))} as byte_hours, ${exactSum('cost', peakOf(peaks, 'pvs.cost'))} as cost`,
    ['pv_cluster', 'pv_name'],
  );
  await pace.forEach(await byRow(volumes), ([row, own]) => {
    if (row !== undefined) row.pvs = toVolumes(own);
  });
  const balancers = await besideRows(
    statements,
    { ...source, from: 'allocation_lb' },
    `min(service) as service, min(ip) as ip, bool_or(private) as private,
  ${exactSum('hours', peakOf(peaks, 'lbAllocations.hours'))} as hours, ${exactSum('cost', peakOf(peaks, 'lbAllocations.cost'))} as cost`,
    ['lb'],
  );
  const balancersOf = await byRow(balancers);
  await pace.forEach(rows, (row) => {
    row.lbAllocations = toBalancers(balancersOf.get(row) ?? [], row.loadBalancerCost);
  });
}

/**
 * Returns the key of a volume in a list. Colons in names are replaced: OpenCost's reader splits keys at colons, and
 * rejects the whole result if a name contains one.
 */
function volumeKey(cluster: string, name: string): string {
  return `cluster=${cluster.replaceAll(':', '_')}:name=${name.replaceAll(':', '_')}`;
}

function toVolumes(found: readonly Row[]): Record<string, PersistentVolumeUse> {
  const uses = found
    .map((row) => {
      const [cluster, name] = [String(row['pv_cluster']), String(row['pv_name'])];
      return {
        name: `${cluster}\0${name}`,
        key: volumeKey(cluster, name),
        otherKey: volumeKey(cluster, others),
        use: {
          byteHours: Number(row['byte_hours']),
          cost: Number(row['cost']),
          providerID: String(row['provider_id']),
        },
      };
    })
    .sort((a, b) => compareTexts(a.name, b.name));
  return limited(uses, (a, b) => ({
    byteHours: a.byteHours + b.byteHours,
    cost: a.cost + b.cost,
    providerID: a.providerID === '' ? b.providerID : a.providerID,
  }));
}

/**
 * Returns the list of a row's load balancers. If their costs do not add up to `cost`, the difference is added to the
 * entry `__other__`.
 */
function toBalancers(found: readonly Row[], cost: number): Record<string, LoadBalancerUse> | null {
  const uses = found
    .map((row) => ({
      key: String(row['lb']),
      otherKey: others,
      use: {
        service: String(row['service']),
        cost: Number(row['cost']),
        private: row['private'] === true,
        ip: String(row['ip']),
        hours: Number(row['hours']),
      },
    }))
    .sort((a, b) => compareTexts(a.key, b.key));
  const add = (a: LoadBalancerUse, b: LoadBalancerUse) => ({
    ...a,
    cost: a.cost + b.cost,
    hours: a.hours + b.hours,
  });
  const all = limited(uses, add);
  const rest = cost - uses.reduce((sum, { use }) => sum + use.cost, 0);
  // Ignore smaller differences, because they are only rounding errors.
  if (Math.abs(rest) > leastRest) {
    const use = { service: '', cost: rest, private: false, ip: '', hours: 0 };
    const known = all[others];
    all[others] = known === undefined ? use : add(known, use);
  }
  return Object.keys(all).length === 0 ? null : all;
}

/** The smallest cost that is visible in a query result, in which numbers are rounded to nine decimal places. */
const leastRest = 1e-9;

interface Entry<U> {
  readonly key: string;
  /** Key of the entry into which this entry is merged if the list has too many entries. */
  readonly otherKey: string;
  readonly use: U;
}

/**
 * Returns the entries by key. If there are more than `mostListed`, keeps only the most expensive entries, and merges
 * each of the other entries into an entry whose key is `otherKey`.
 */
function limited<U extends { readonly cost: number }>(
  entries: readonly Entry<U>[],
  add: (a: U, b: U) => U,
): Record<string, U> {
  const all = gather(entries, add);
  if (all.length <= mostListed) return toRecord(all);
  const byCost = [...all].sort((a, b) => b.use.cost - a.use.cost || compareTexts(a.key, b.key));
  const small = byCost
    .slice(mostListed)
    .map((entry) => ({ ...entry, key: entry.otherKey, use: nameless(entry.use) }));
  return toRecord(gather([...byCost.slice(0, mostListed), ...small], add));
}

/**
 * Clears the texts and booleans of an entry before it is merged with others, because they describe only a single volume
 * or load balancer.
 */
function nameless<U extends object>(use: U): U {
  const texts = Object.entries(use).map(([name, value]): [string, unknown] => [
    name,
    typeof value === 'string' ? '' : typeof value === 'boolean' ? false : value,
  ]);
  return Object.fromEntries(texts) as U;
}

/** Adds up entries with the same key. */
function gather<U>(entries: readonly Entry<U>[], add: (a: U, b: U) => U): Entry<U>[] {
  const gathered = new Map<string, Entry<U>>();
  for (const entry of entries) {
    const known = gathered.get(entry.key);
    gathered.set(entry.key, known === undefined ? entry : { ...known, use: add(known.use, entry.use) });
  }
  return [...gathered.values()];
}

function toRecord<U>(entries: readonly Entry<U>[]): Record<string, U> {
  const sorted = [...entries].sort((a, b) => compareTexts(a.key, b.key));
  return Object.fromEntries(sorted.map(({ key, use }) => [key, use]));
}
