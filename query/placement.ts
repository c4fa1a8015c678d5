import { sanitizeKey } from './sanitize';

/** Labels that hold the region of a node. OpenCost stores the keys sanitised, some with the prefix `label_`. */
const regionLabels = ['topology.kubernetes.io/region', 'failure-domain.beta.kubernetes.io/region'].flatMap(
  (key) => [sanitizeKey(key), `label_${sanitizeKey(key)}`],
);

const region = `coalesce(${regionLabels.map((label) => `a.labels['${label}']`).join(', ')}, '')`;

const agreed = (column: string) =>
  `case when min(${column}) = max(${column}) then min(${column}) else '' end`;

/**
 * SQL that fills the table `placement` from the node assets in the served files. For each cluster, a row with an empty
 * node holds the values that all of its nodes share.
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
 * Returns SQL that adds to identities the account, provider and region of their node. If the node has no asset, they
 * are those that all nodes of the cluster share.
 *
 * @param identities a table with the columns `cluster_name` and `node`
 */
export function withPlacement(identities: string): string {
  const columns = placementColumns.map((column) => `coalesce(n.${column}, c.${column}, '') as ${column}`);
  return `(select i.*, ${columns.join(', ')} from ${identities} i
  left join placement n on n.cluster_name = i.cluster_name and n.node = i.node and n.node <> ''
  left join placement c on c.cluster_name = i.cluster_name and c.node = '')`;
}
