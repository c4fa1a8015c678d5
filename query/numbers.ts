import type { DuckDBConnection } from '@duckdb/node-api';
import { rowsOf } from './database';
import { HashIndex, hashWords } from './hash-index';
import type { Identity } from './identity';

/**
 * The ids by which the tables refer to clusters, workloads, container names and identities (names, labels and other
 * texts of allocations). This way, each text is stored only once.
 */
export interface Numbers {
  lastFile: number;
  lastIdentity: number;
  lastName: number;
  lastWorkload: number;
  readonly clusters: Map<string, number>;
  /** The ids of workloads, by the key that `workloadKey` returns. */
  readonly workloads: Map<string, number>;
  /** The ids of container names, by the hash of the name. */
  readonly names: HashIndex;
  /** The ids of identities (names, labels and other texts of allocations), by the hash of the identity. */
  readonly identities: HashIndex;
  /** The cluster id of each identity. The array index is the id of the identity. */
  readonly clusterOf: number[];
  /** The workload id of each identity. The array index is the id of the identity. */
  readonly workloadOf: number[];
}

/** Reads the ids from the database. There are millions of identities, so they are read in chunks. */
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
    // Create the arrays with all of their elements: arrays with holes would be slow.
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

/** Returns a text that identifies the workload of an allocation. It consists of the fields that define a workload. */
export function workloadKey({
  cluster,
  namespace,
  controller,
  controllerKind,
  plain,
}: Pick<Identity, 'cluster' | 'namespace' | 'controller' | 'controllerKind' | 'plain'>): string {
  return [cluster, namespace, controller, controllerKind, plain].join('\0');
}

/** Converts a hash to the 128-bit integer that the database stores. `at` is the index of the hash in `hashes`. */
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
