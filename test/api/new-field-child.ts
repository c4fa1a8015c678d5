import path from 'node:path';
import { allocationSetsParts } from '../../api/allocation-json';
import { extractContribution } from '../../etl/contribution';
import { decodeSet, encodeSet } from '../../etl/file';
import { mergeSets } from '../../etl/merge';
import type { AllocationSet } from '../../etl/model';
import { exportSchema, exportWindow, servedWindows } from '../../query/export';
import { allocationSet } from '../etl/build-records';
import { spliceSets } from '../etl/splice-sets';
import { openEngine, serveWorld } from '../query/engine-over';
import { container, request, smallWorld } from '../query/small-world';

/*
 * A test runs this script in a copy of the sources in which allocations have an additional, made-up field. The script
 * makes ETL files of two clusters with this field, and passes them through all steps from merging to answers. After
 * each step, it prints the value of the field.
 */

const name = 'networkVpnCost';
const column = 'network_vpn_cost';

/** Makes a set with one record. Codec version 26 adds the made-up field, so older versions do not store its value. */
function setWith(value: number, version = 26): AllocationSet {
  const record = { ...container('cluster-1/node/namespace/pod'), version, [name]: value };
  return { ...allocationSet([record]), version };
}

/** Returns the value of the made-up field in the only record of a set. */
function valueIn(set: AllocationSet): unknown {
  const [record] = set.allocations?.values() ?? [];
  return (record as unknown as Record<string, unknown>)[name];
}

function decoded(bytes: Uint8Array): AllocationSet {
  return decodeSet('allocations', bytes);
}

async function answersOver(set: AllocationSet) {
  const [record] = set.allocations?.values() ?? [];
  if (!record) throw new Error('no record');
  const engine = await openEngine();
  try {
    await serveWorld(engine, smallWorld([record]), 1);
    const { sets } = await engine.allocations(request);
    const json = JSON.parse([...allocationSetsParts(sets)].join('')) as [
      Record<string, Record<string, unknown>>,
    ];
    const file = path.join(__dirname, 'exported.parquet');
    const exported = await engine.withConnection(async (connection) => {
      const [served] = await servedWindows(connection);
      await exportWindow(connection, served?.id ?? NaN, 'parquet', file);
      const reader = await connection.runAndReadAll(`select ${column} from '${file}'`);
      return reader.getRows();
    });
    return {
      query: (sets[0]?.rows[0] as unknown as Record<string, unknown>)[name],
      api: json[0]['namespace']?.[name],
      exported,
      documented: exportSchema.tables.allocations.find((one) => one.name === column),
    };
  } finally {
    engine.dispose();
  }
}

async function main(): Promise<void> {
  const inputs = [1, 2].map((value) => ({ id: `cluster-${value}`, bytes: encodeSet(setWith(value)) }));
  const merged = mergeSets(
    'allocations',
    inputs.map(({ id, bytes }) => ({ id, set: decoded(bytes) })),
  );
  const splice = spliceSets(
    'allocations',
    inputs.map(({ id, bytes }) => ({ id, bytes: Buffer.from(bytes) })),
  );
  const spliced = Buffer.concat([...splice.parts]);
  const values = {
    read: inputs.map(({ bytes }) => valueIn(decoded(bytes))),
    readFromOlder: valueIn(decoded(encodeSet(setWith(1, 25)))),
    merged: valueIn(merged.set),
    spliced: valueIn(decoded(spliced)),
    extracted: splice.contributions.map((one) =>
      valueIn(decoded(extractContribution('allocations', spliced, one))),
    ),
    ...(await answersOver(decoded(spliced))),
  };
  console.log(JSON.stringify(values));
}

void main();
