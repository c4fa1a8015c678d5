import type { DuckDBConnection } from '@duckdb/node-api';
import { FederationError } from '../errors/federation-error';
import { pick } from './pick';
import type { Catalog } from './catalog';
import { cover } from './covering';
import { rowsOf } from './database';
import type { AutocompleteRequest } from './request';
import { allocationTarget, assetTarget, Bindings, condition } from './sql';

/** The values that a field has in a window: distinct, sorted, at most as many as are asked for. */
export async function answerAutocomplete(
  connection: DuckDBConnection,
  catalog: Catalog,
  { of, window, field, search, limit, filter }: AutocompleteRequest,
): Promise<string[]> {
  const covering = cover(catalog, of, [window], window.end);
  const wholeFiles = await pick(connection, 'pick', catalog, covering, { periodOf: [0] });
  const bindings = new Bindings();
  const values = of === 'allocations' ? allocationValues(field, bindings) : assetValues(field, bindings);
  const target = of === 'allocations' ? allocationTarget : assetTarget;
  const kept = filter === undefined ? 'true' : condition(filter, target, bindings);
  const on = `pick p on p.file = r.file${wholeFiles ? '' : ' and p.cluster = r.cluster'}`;
  const records =
    of === 'allocations'
      ? `select * from identity where id in (select r.identity from allocation r join ${on})`
      : `select r.* from asset r join ${on}`;
  const rows = await rowsOf(
    connection,
    `with record as (${records}), found as (select ${values} as value from record where ${kept})
select distinct value from found where value <> '' and contains(lower(value), lower(${bindings.bind(search)}))
order by value limit ${bindings.bind(limit)}::integer`,
    bindings.values,
  );
  return rows.map((row) => String(row['value']));
}

const allocationFields: Readonly<Record<string, string>> = {
  ...allocationTarget.columns,
  controller: 'controller',
  service: 'unnest(services)',
  services: 'unnest(services)',
  label: 'unnest(map_keys(labels))',
  annotation: 'unnest(map_keys(annotations))',
  namespacelabel: 'unnest(map_keys(namespace_labels))',
};

const assetFields: Readonly<Record<string, string>> = {
  ...assetTarget.columns,
  type: 'type',
  providerid: 'provider_id',
  label: 'unnest(map_keys(labels))',
};

function allocationValues(field: string, bindings: Bindings): string {
  const [map, key] = splitField(field);
  if (key === undefined) return allocationFields[field] ?? unknown(field);
  const maps: Readonly<Record<string, string>> = {
    label: 'labels',
    annotation: 'annotations',
    namespacelabel: 'namespace_labels',
  };
  return `${maps[map] ?? unknown(field)}[${bindings.bind(key)}]`;
}

function assetValues(field: string, bindings: Bindings): string {
  const [map, key] = splitField(field);
  if (key === undefined) return assetFields[field] ?? unknown(field);
  return map === 'label' ? `labels[${bindings.bind(key)}]` : unknown(field);
}

function splitField(field: string): [string, string | undefined] {
  const colon = field.indexOf(':');
  return colon < 0 ? [field, undefined] : [field.slice(0, colon), field.slice(colon + 1)];
}

function unknown(field: string): never {
  throw new FederationError('QUERY_INVALID', {
    subject: { parameter: 'field' },
    detail: `Invalid 'field' parameter: ${JSON.stringify(field.slice(0, 100))} is no field.`,
  });
}
