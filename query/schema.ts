import { tableColumns } from './asset-columns';
import { storedMeasures } from './measures';

/** Raised when tables change: an older database is thrown away and built anew from the ETL files. */
export const schemaRevision = 3;

const doubles = (names: readonly string[]) => names.map((name) => `"${name}" double not null`).join(',\n  ');

/**
 * The tables. Rows are immutable: a window file that changed is another `file`, and what is served is the list in
 * `served`, which changes in one transaction. Times are unix seconds. Texts are never null; what is missing is empty.
 */
export const tables = `
create table about (revision integer not null);

-- Every window file that was ever ingested whole and is still kept.
create table file (
  id integer not null,
  pipeline varchar not null,
  resolution varchar not null,
  window_start bigint not null,
  window_end bigint not null,
  digest varchar not null,
  -- The largest number of each column, whatever its sign, by name: what is not named is 0 in all of its rows. Of most
  -- files that is half of the measures.
  peaks map(varchar, double) not null
);

-- What queries see: one generation.
create table served (file integer not null);
create table generation (
  generation integer,
  committed_at varchar,
  ingested_at varchar not null
);
-- Clusters that were taken out of the generation.
create table excluded (cluster varchar not null, reason varchar not null);

-- Clusters by a number.
create table cluster (id integer not null, name varchar not null);

-- Which clusters a file holds something of, and what that costs in all.
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

-- What identifies an allocation, once for all windows in which that is the same. 'name' numbers the distinct
-- cluster/node/namespace/pod/container: an allocation whose labels, services or controller changed has several
-- identities of one name.
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
  -- False of unmounted volumes and load balancers: these get no shared cost and do not count for idle.
  plain boolean not null,
  hash uhugeint not null,
  name_hash uhugeint not null,
  -- A part of the hash: names the same identity in every database, as numbers do not.
  content ubigint not null
);

-- What allocations are rolled up to: those of one controller. Filled when a generation is served.
create table workload (
  id integer not null,
  cluster_name varchar not null,
  namespace varchar not null,
  controller varchar not null,
  controller_kind varchar not null,
  plain boolean not null,
  -- What all of its identities have alike, and the keys of what they have not.
  labels map(varchar, varchar) not null,
  annotations map(varchar, varchar) not null,
  mixed_labels varchar[] not null,
  mixed_annotations varchar[] not null
);

-- Where nodes are, as the newest assets that are served say it; without a node: where all of the cluster's are, if that is
-- one place. Filled when a generation is served.
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

-- Assets of every type; what a type does not have is null.
create table asset (
  file integer not null,
  cluster integer not null,
  ${tableColumns.map(({ name, sql }) => `${name} ${sql}`).join(',\n  ')}
);

-- Allocations by workload, per file: what most questions need. A property below that is null where the allocations of a
-- row differ in it, else the hash of what all of them have.
create table rollup (
  file integer not null,
  cluster integer not null,
  workload integer not null,
  node_hash ubigint,
  pod_hash ubigint,
  container_hash ubigint,
  provider_id_hash ubigint,
  name integer,
  -- The content of one of its identities, to take what concerns the namespace from, and whether it says something of it.
  sample ubigint not null,
  informed boolean not null,
  start_at double not null,
  end_at double not null,
  ${doubles(storedMeasures)}
);
`;
