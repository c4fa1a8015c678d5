import { tableColumns } from './asset-columns';
import { storedMeasures } from './measures';

/**
 * Revision of the database tables. Increase it whenever the tables change: a database with a different revision is
 * deleted and rebuilt from the ETL files.
 */
export const schemaRevision = 3;

const doubles = (names: readonly string[]) => names.map((name) => `"${name}" double not null`).join(',\n  ');

/**
 * SQL that creates the tables of the database. Rows with data from a window file never change: if the file changes, its
 * new content is stored under a different id. The table `served` lists the ids of the files that queries read. It is
 * replaced in a single transaction. Times are in unix seconds. If a text field of a record has no value, an empty text
 * is stored, not null.
 */
export const tables = `
create table about (revision integer not null);

-- Every stored window file; each was ingested completely.
create table file (
  id integer not null,
  pipeline varchar not null,
  resolution varchar not null,
  window_start bigint not null,
  window_end bigint not null,
  digest varchar not null,
  -- The largest absolute value of each column, by name: a column that is missing is 0 in all rows. In most files these
  -- are half of the measures.
  peaks map(varchar, double) not null
);

-- The generation that queries see.
create table served (file integer not null);
create table generation (
  generation integer,
  committed_at varchar,
  ingested_at varchar not null
);
-- Clusters that are excluded from the generation.
create table excluded (cluster varchar not null, reason varchar not null);

-- Clusters by number.
create table cluster (id integer not null, name varchar not null);

-- The clusters of a file, with the total cost of each.
create table contribution (
  file integer not null,
  cluster integer not null,
  records integer not null,
  cost double not null
);

-- Numbers of a file that are NaN or infinite; they are 0 in the tables.
create table not_finite (
  file integer not null,
  cluster integer not null,
  field varchar not null,
  numbers integer not null
);

-- Identities of allocations, stored once for all windows with the same identity. 'name' numbers the distinct
-- cluster/node/namespace/pod/container: an allocation whose labels, services or controller changed has several
-- identities with the same name.
create table identity (
  id integer not null,
  name integer not null,
  workload integer not null,
  cluster integer not null,
  cluster_name varchar not null,
  node varchar not null,
  namespace varchar not null,
  pod varchar not null,
  container varchar not null,
  controller varchar not null,
  controller_kind varchar not null,
  provider_id varchar not null,
  services varchar[] not null,
  labels map(varchar, varchar) not null,
  annotations map(varchar, varchar) not null,
  namespace_labels map(varchar, varchar) not null,
  namespace_annotations map(varchar, varchar) not null,
  -- False for unmounted volumes and load balancers: they get no shared cost and do not count for idle.
  plain boolean not null,
  hash uhugeint not null,
  name_hash uhugeint not null,
  -- Part of the hash: the same in every database, unlike the numbers.
  content ubigint not null
);

-- Workloads, to which the allocations of one controller are rolled up. Filled when a generation is served.
create table workload (
  id integer not null,
  cluster_name varchar not null,
  namespace varchar not null,
  controller varchar not null,
  controller_kind varchar not null,
  plain boolean not null,
  -- The entries that all of its identities share, and the keys of the others.
  labels map(varchar, varchar) not null,
  annotations map(varchar, varchar) not null,
  mixed_labels varchar[] not null,
  mixed_annotations varchar[] not null
);

-- Locations of nodes, from the newest served assets; without a node: the location of the whole cluster, if all its nodes
-- share one. Filled when a generation is served.
create table placement (
  cluster_name varchar not null,
  node varchar not null,
  account varchar not null,
  provider varchar not null,
  region varchar not null
);

-- Identities whose name has several; filled when a generation is served.
create table twin (identity integer not null, name integer not null, controllers_differ boolean not null);

create table allocation (
  file integer not null,
  cluster integer not null,
  identity integer not null,
  start_at double not null,
  end_at double not null,
  cpu_max double,
  ram_max double,
  gpu_max double,
  ${doubles(storedMeasures)}
);

-- Volumes, load balancers and GPUs of allocations.
create table allocation_pv (
  file integer not null,
  cluster integer not null,
  identity integer not null,
  workload integer not null,
  pv_cluster varchar not null,
  pv_name varchar not null,
  pv_provider_id varchar not null,
  byte_hours double not null,
  cost double not null
);
create table allocation_lb (
  file integer not null,
  cluster integer not null,
  identity integer not null,
  workload integer not null,
  lb varchar not null,
  service varchar not null,
  ip varchar not null,
  private boolean not null,
  hours double not null,
  cost double not null
);
create table allocation_gpu (
  file integer not null,
  cluster integer not null,
  identity integer not null,
  device varchar not null,
  model varchar not null,
  uuid varchar not null,
  gpu_shared boolean
);

-- Assets of every type. Columns that a type does not have are null, or 0 if they are declared as not null.
create table asset (
  file integer not null,
  cluster integer not null,
  ${tableColumns.map(({ name, sql }) => `${name} ${sql}`).join(',\n  ')}
);

-- Allocations by workload, per file, which is enough for most queries. A property below workloads is the hash of the value
-- that all allocations of a row share, null if they differ.
create table rollup (
  file integer not null,
  cluster integer not null,
  workload integer not null,
  node_hash ubigint,
  pod_hash ubigint,
  container_hash ubigint,
  provider_id_hash ubigint,
  name integer,
  -- The content of the identity that the namespace metadata is taken from, and whether it has any.
  sample ubigint not null,
  informed boolean not null,
  start_at double not null,
  end_at double not null,
  ${doubles(storedMeasures)}
);
`;
