import { displayText } from '../../../etl/byte-string';
import type { Asset } from '../../../etl/model';
import { clusterOf } from './idle';
import { type PieceProperties, textMap } from './piece';
import { assetsOf, type StoredAssets } from './stored-sets';

/** Properties of nodes by which allocations can be grouped. Allocations themselves do not have these properties. */
export type NodeWords = Readonly<Record<'account' | 'provider' | 'region', string>>;

const regionLabels = [
  'topology_kubernetes_io_region',
  'label_topology_kubernetes_io_region',
  'failure_domain_beta_kubernetes_io_region',
  'label_failure_domain_beta_kubernetes_io_region',
];

/**
 * Returns a function that finds the account, provider and region for an allocation. If the allocation's node is known,
 * takes them from the latest set that contains the node. Otherwise, takes those that all nodes of the cluster have in
 * common. A property that is unknown or differs between the nodes is empty.
 */
export function nodeWords(stored: readonly StoredAssets[]): (of: PieceProperties) => NodeWords {
  const clusters = new Map<string, Map<string, NodeWords>>();
  const latestLast = [...stored].sort((a, b) => a.end - b.end || a.start - b.start);
  for (const asset of latestLast.flatMap(({ set }) => assetsOf(set))) {
    if (asset.type !== 'Node') continue;
    const nodes = clusters.get(clusterOf(asset)) ?? new Map<string, NodeWords>();
    clusters.set(clusterOf(asset), nodes.set(displayText(asset.properties?.name ?? ''), wordsOf(asset)));
  }
  return ({ cluster, node }) => {
    const nodes = clusters.get(cluster);
    return (node === '' ? undefined : nodes?.get(node)) ?? commonWords([...(nodes?.values() ?? [])]);
  };
}

function wordsOf({ properties, labels: stored }: Asset): NodeWords {
  const labels = textMap(stored);
  const label = regionLabels.find((key) => labels.has(key));
  return {
    account: displayText(properties?.account ?? ''),
    provider: displayText(properties?.provider ?? ''),
    region: label === undefined ? '' : (labels.get(label) ?? ''),
  };
}

function commonWords(nodes: readonly NodeWords[]): NodeWords {
  const common = (field: keyof NodeWords) => {
    const values = new Set(nodes.map((node) => node[field]));
    return values.size === 1 ? ([...values][0] ?? '') : '';
  };
  return { account: common('account'), provider: common('provider'), region: common('region') };
}
