import type { Allocation, AllocationProperties, Asset, AssetProperties, AssetType } from '../../etl/model';
import type { AllocationField, AllocationGroup, AllocationRequest } from '../../query/request';
import type { Span } from '../../query/span';
import { allocation, allocationSet, asset, assetSet } from '../etl/build-records';
import { firstDay, instant, timeWindow } from './made-up-sets';
import type { StoredWorld } from './reference/stored-sets';

/** The only window of the data that this module makes: one hour. */
export const window = { start: firstDay, end: firstDay + 3_600 };
const span = { window: timeWindow(window), start: instant(window.start), end: instant(window.end) };

/** Makes a world (ETL data) with one set of allocations and one of assets. Both sets have the window `of`. */
export function smallWorld(allocations: Allocation[], assets: Asset[] = [], of: Span = window): StoredWorld {
  const stored = { ...of, resolution: '1h' };
  return {
    allocations: [{ ...stored, set: { ...allocationSet(allocations), window: timeWindow(of) } }],
    assets: [{ ...stored, set: { ...assetSet(assets), window: timeWindow(of) } }],
  };
}

/** Makes a record of a container that ran for the whole hour. `place` is `<cluster>/<node>/<namespace>/<pod>`. */
export function container(
  place: `${string}/${string}/${string}/${string}`,
  fields: Partial<Allocation> = {},
  words: Partial<AllocationProperties> = {},
): Allocation {
  const [cluster = '', node = '', namespace = '', pod = ''] = place.split('/');
  const named = { cluster, node, namespace, pod, container: 'main', ...words };
  const name = [named.cluster, named.node, named.namespace, named.pod, named.container].join('/');
  const empty = { controller: '', controllerKind: '', providerID: '', services: null };
  const maps = { labels: null, annotations: null, namespaceLabels: null, namespaceAnnotations: null };
  return allocation(name, { ...span, properties: { version: 25, ...empty, ...maps, ...named }, ...fields });
}

/** Makes a record of an asset that existed for the whole hour. */
export function thing<T extends AssetType>(
  type: T,
  words: Partial<AssetProperties>,
  fields: Partial<Extract<Asset, { type: T }>> = {},
): Asset {
  const empty = { category: '', provider: '', account: '', project: '', service: '', providerID: '' };
  const properties = { version: 21, cluster: '', name: '', ...empty, ...words };
  const { window: hour, ...times } = span;
  const timed = type === 'ClusterManagement' || type === 'SharedAsset' ? {} : times;
  return { ...asset(type), window: hour, ...timed, properties, ...fields };
}

/** Makes groupings by fields of allocations. */
export function fields(...names: AllocationField[]): AllocationGroup[] {
  return names.map((field) => ({ kind: 'field', field }));
}

/** A request for all allocations of the hour, grouped by namespace. Tests change some of its members. */
export const request: AllocationRequest = {
  window,
  step: 'window',
  accumulate: 'none',
  groups: fields('namespace'),
  idle: { include: false, byNode: false, split: false, share: false },
  sharing: { namespaces: [], labels: [], monthlyCost: 0, split: 'weighted', tenancy: false },
  aggregatedMetadata: false,
  reconcile: true,
  sort: { by: 'totalCost', descending: true },
  offset: 0,
  now: window.end + 86_400,
};
