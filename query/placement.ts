import { sanitizeKey } from './sanitize';

/**
 * Keys of the labels that contain the region of a node. OpenCost sanitises the keys, and adds the prefix `label_` to
 * some of them.
 */
const regionLabels = ['topology.kubernetes.io/region', 'failure-domain.beta.kubernetes.io/region'].flatMap(
  (key) => [sanitizeKey(key), `label_${sanitizeKey(key)}`],
);

const region = `coalesce(${regionLabels.map((label) => `a.labels['${label}']`).join(', ')}, '')`;

const agreed = (column: string) =>
  `case when min(${column}) = max(${column}) then min(${column}) else '' end`;

/**
 * SQL statement that fills the table `placement` with the account, provider and region of each node. It reads them from
 * the node assets in the current window files. For each cluster, it also adds a row without a node name, with the
 * values that all nodes of the cluster have in common.
 */
export const fillPlacements = `
insert into placement
with latest as (
  select a.cluster_name, a.name as node, a.account, a.provider, ${region} as region
  from asset a join file f on f.id = a.file
  where a.type = 'Node' and a.file in (select file from served)
  qualify row_number() over (
    partition by a.cluster_name, a.name
    order by f.window_end desc, f.window_start desc, a.account, a.provider, ${region}
  ) = 1
)
select * from latest where node <> ''
union all
select cluster_name, '', ${['account', 'provider', 'region'].map(agreed).join(', ')} from latest group by cluster_name`;

/** The columns of the table `placement` that describe where a node runs. */
export const placementColumns = ['account', 'provider', 'region'] as const;

/**
 * Returns SQL that adds to each identity the account, provider and region of its node. If there is no asset for the
 * node, adds the values that all nodes of the cluster have in common.
 *
 * @param identities SQL for a table with the columns `cluster_name` and `node`
 */
export function withPlacement(identities: string): string {
  const columns = placementColumns.map((column) => `coalesce(n.${column}, c.${column}, '') as ${column}`);
  return `(select i.*, ${columns.join(', ')} from ${identities} i
  left join placement n on n.cluster_name = i.cluster_name and n.node = i.node and n.node <> ''
  left join placement c on c.cluster_name = i.cluster_name and c.node = '')`;
}
