import { type DuckDBValue, listValue } from '@duckdb/node-api';
import type { AllocationColumns } from './allocation-columns';
import { entriesValue } from './entries-value';
import { hashWords } from './hash-index';
import { type Identity, writeHash } from './identity';
import type { IngestConnection } from './ingest-connection';
import { hashValue, type Numbers, workloadKey } from './numbers';

/**
 * Thrown if the reader omitted an identity (names, labels and other texts of an allocation) that is not in the
 * database. The reader omits identities that it has sent before. But if the ingest that received an identity failed,
 * the identity was never stored.
 */
export class IdentityUnknown extends Error {}

/** For each row, the ids of its identity, cluster and workload in the database. */
export interface Identified {
  readonly identities: Int32Array;
  readonly clusters: Int32Array;
  readonly workloads: Int32Array;
}

/** An identity (names, labels and other texts of an allocation) that is not in the database yet. */
interface NewIdentity {
  readonly id: number;
  readonly name: number;
  readonly workload: number;
  readonly cluster: number;
  readonly hash: bigint;
  readonly nameHash: bigint;
  readonly identity: Identity;
}

/**
 * Finds the id of each row's identity in the database. Stores new identities. Throws `IdentityUnknown` if an identity
 * is new but the reader has not sent it.
 */
export async function fillIdentities(
  into: IngestConnection,
  { rows, hashes, ...sent }: AllocationColumns,
): Promise<Identified> {
  const { numbers } = into;
  const identities = new Int32Array(rows);
  const clusters = new Int32Array(rows);
  const workloads = new Int32Array(rows);
  const text = Buffer.from(sent.identities.buffer, sent.identities.byteOffset, sent.identities.byteLength);
  const made: NewIdentity[] = [];
  let next = 0;
  for (let row = 0; row < rows; row++) {
    const isSent = sent.identityRows[next] === row;
    if (isSent) next++;
    let id = numbers.identities.get(hashes, row);
    if (id === 0) {
      if (!isSent) throw new IdentityUnknown();
      const from = next === 1 ? 0 : (sent.identityEnds[next - 2] ?? 0);
      const identity = JSON.parse(text.toString('utf8', from, sent.identityEnds[next - 1])) as Identity;
      id = ++numbers.lastIdentity;
      const cluster = await into.clusterNumber(identity.cluster);
      numbers.identities.set(hashes, row, id);
      numbers.clusterOf[id] = cluster;
      const workload = workloadNumber(numbers, identity);
      numbers.workloadOf[id] = workload;
      const hash = hashValue(hashes, row);
      made.push({ id, workload, cluster, hash, ...nameNumber(numbers, identity), identity });
    }
    identities[row] = id;
    clusters[row] = numbers.clusterOf[id] ?? 0;
    workloads[row] = numbers.workloadOf[id] ?? 0;
  }
  await append(into, made);
  return { identities, clusters, workloads };
}

async function append({ tables }: IngestConnection, made: readonly NewIdentity[]): Promise<void> {
  const of = (read: (one: NewIdentity) => DuckDBValue) => (row: number) => {
    const found = made[row];
    return found === undefined ? null : read(found);
  };
  await tables.append('identity', made.length, {
    id: of(({ id }) => id),
    name: of(({ name }) => name),
    workload: of(({ workload }) => workload),
    cluster: of(({ cluster }) => cluster),
    cluster_name: of(({ identity }) => identity.cluster),
    node: of(({ identity }) => identity.node),
    namespace: of(({ identity }) => identity.namespace),
    pod: of(({ identity }) => identity.pod),
    container: of(({ identity }) => identity.container),
    controller: of(({ identity }) => identity.controller),
    controller_kind: of(({ identity }) => identity.controllerKind),
    provider_id: of(({ identity }) => identity.providerID),
    services: of(({ identity }) => listValue([...identity.services])),
    labels: of(({ identity }) => entriesValue(identity.labels)),
    annotations: of(({ identity }) => entriesValue(identity.annotations)),
    namespace_labels: of(({ identity }) => entriesValue(identity.namespaceLabels)),
    namespace_annotations: of(({ identity }) => entriesValue(identity.namespaceAnnotations)),
    plain: of(({ identity }) => identity.plain),
    hash: of(({ hash }) => hash),
    name_hash: of(({ nameHash }) => nameHash),
    content: of(({ hash }) => hash & 0xff_ff_ff_ff_ff_ff_ff_ffn),
  });
}

function workloadNumber(numbers: Numbers, identity: Identity): number {
  const { workloads } = numbers;
  const key = workloadKey(identity);
  const number = workloads.get(key) ?? ++numbers.lastWorkload;
  workloads.set(key, number);
  return number;
}

function nameNumber(numbers: Numbers, { cluster, node, namespace, pod, container }: Identity) {
  const { names } = numbers;
  // Join the parts with a separator. Otherwise, different names could give the same text, and thus the same hash.
  const hash = new Uint32Array(hashWords);
  writeHash([cluster, node, namespace, pod, container].join('\0'), hash, 0);
  const known = names.get(hash, 0);
  const name = known === 0 ? ++numbers.lastName : known;
  if (known === 0) names.set(hash, 0, name);
  return { name, nameHash: hashValue(hash, 0) };
}
