import type { DuckDBConnection } from '@duckdb/node-api';
import { rowsOf } from './database';
import { HashIndex, hashWords } from './hash-index';
import type { Identity } from './identity';

/** Numbers that stand for texts, so that a text is stored only once. */
export interface Numbers {
  lastFile: number;
  lastIdentity: number;
  lastName: number;
  lastWorkload: number;
  readonly clusters: Map<string, number>;
  /** Numbers of workloads, by the key that `workloadKey` returns. */
  readonly workloads: Map<string, number>;
  /** Numbers of names, by the hash of the name. */
  readonly names: HashIndex;
  /** Numbers of identities, by the hash of the identity. */
  readonly identities: HashIndex;
  /** Cluster number of each identity, by identity number. */
  readonly clusterOf: number[];
  /** Workload number of each identity, by identity number. */
  readonly workloadOf: number[];
}

/** Reads the numbers from a database, chunk by chunk because there are millions of identities. */
export async function readNumbers(connection: DuckDBConnection): Promise<Numbers> {
  const [last] = await rowsOf(
    connection,
    `select coalesce((select max(id) from file), 0) as file, coalesce(max(id), 0) as identity, coalesce(max(name), 0) as name,
  coalesce(max(workload), 0) as workload
from identity`,
  );
  const numbers: Numbers = {
    lastFile: Number(last?.['file']),
    lastIdentity: Number(last?.['identity']),
    lastName: Number(last?.['name']),
    lastWorkload: Number(last?.['workload']),
    clusters: new Map(),
    workloads: new Map(),
    names: new HashIndex(),
    identities: new HashIndex(),
    // Fill the arrays in advance: an array with holes would be slow.
    clusterOf: new Array<number>(Number(last?.['identity']) + 1).fill(0),
    workloadOf: new Array<number>(Number(last?.['identity']) + 1).fill(0),
  };
  for (const row of await rowsOf(connection, 'select id, name from cluster')) {
    numbers.clusters.set(String(row['name']), Number(row['id']));
  }
  const workloads = `select workload, any_value(cluster_name) as cluster, any_value(namespace) as namespace,
  any_value(controller) as controller, any_value(controller_kind) as "controllerKind", any_value(plain) as plain
from identity group by workload`;
  for (const row of await rowsOf(connection, workloads)) {
    numbers.workloads.set(workloadKey(row as unknown as Identity), Number(row['workload']));
  }
  const result = await connection.stream('select id, name, cluster, workload, hash, name_hash from identity');
  const words = new Uint32Array(hashWords);
  for (;;) {
    const chunk = await result.fetchChunk();
    const rowCount = chunk?.rowCount ?? 0;
    if (chunk === null || rowCount === 0) return numbers;
    const [ids, names, clusters, workloadIds, hashes, nameHashes] = [0, 1, 2, 3, 4, 5].map((index) =>
      chunk.getColumnVector(index),
    );
    for (let row = 0; row < rowCount; row++) {
      const id = Number(ids?.getItem(row));
      numbers.clusterOf[id] = Number(clusters?.getItem(row));
      numbers.workloadOf[id] = Number(workloadIds?.getItem(row));
      writeValue(words, hashes?.getItem(row) as bigint);
      numbers.identities.set(words, 0, id);
      writeValue(words, nameHashes?.getItem(row) as bigint);
      numbers.names.set(words, 0, Number(names?.getItem(row)));
    }
  }
}

/** Returns the key of the workload that an allocation belongs to. It consists of the fields that define a workload. */
export function workloadKey({
  cluster,
  namespace,
  controller,
  controllerKind,
  plain,
}: Pick<Identity, 'cluster' | 'namespace' | 'controller' | 'controllerKind' | 'plain'>): string {
  return [cluster, namespace, controller, controllerKind, plain].join('\0');
}

/** Converts a hash to the form that the database stores. */
export function hashValue(hashes: Uint32Array, at: number): bigint {
  let value = 0n;
  for (let word = 0; word < hashWords; word++)
    value = (value << 32n) | BigInt(hashes[at * hashWords + word] ?? 0);
  return value;
}

function writeValue(words: Uint32Array, value: bigint): void {
  let left = value;
  for (let word = hashWords - 1; word >= 0; word--) {
    words[word] = Number(left & 0xff_ff_ff_ffn);
    left >>= 32n;
  }
}
