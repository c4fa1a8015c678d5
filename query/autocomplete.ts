import { FederationError } from '../errors/federation-error';
import { ownValue } from '../etl/own-value';
import type { Catalog } from './catalog';
import { cover } from './covering';
import { rowsOf } from './database';
import { pick } from './pick';
import type { AutocompleteRequest } from './request';
import { allocationTarget, assetTarget, Bindings, condition, type FilterTarget } from './sql';
import type { Statements } from './statements';

/** Returns the distinct values of a field in a time window, sorted. Returns at most `limit` values. */
export async function answerAutocomplete(
  statements: Statements,
  catalog: Catalog,
  { of, window, field, search, limit, filter }: AutocompleteRequest,
): Promise<string[]> {
  const covering = cover(catalog, of, [window], window.end);
  const wholeFiles = await pick(statements, 'pick', catalog, covering, { periodOf: [0] });
  const bindings = new Bindings();
  const { target, records, values } = sources[of];
  const value = values(field, bindings);
  const kept = filter === undefined ? 'true' : condition(filter, target, bindings);
  const on = `pick p on p.file = r.file${wholeFiles ? '' : ' and p.cluster = r.cluster'}`;
  const rows = await rowsOf(
    statements,
    `with record as (${records(on)}), found as (select ${value} as value from record where ${kept})
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

/** SQL for listing the values of fields, for one kind of record (allocations or assets). */
interface ValueSource {
  readonly target: FilterTarget;
  /**
   * Returns SQL for the records in the window files of the query. `on` is the SQL after `join`: the table of window
   * files, and the condition that joins it with the records (alias `r`).
   */
  records(this: void, on: string): string;
  /**
   * Returns SQL for the values of a field, which is given as `name` or `name:key`. Throws QUERY_INVALID for an unknown
   * field.
   */
  values(this: void, field: string, bindings: Bindings): string;
}

const sources: Readonly<Record<AutocompleteRequest['of'], ValueSource>> = {
  allocations: {
    target: allocationTarget,
    records: (on) => `select * from identity where id in (select r.identity from allocation r join ${on})`,
    values: valuesOf(allocationFields, {
      label: 'labels',
      annotation: 'annotations',
      namespacelabel: 'namespace_labels',
    }),
  },
  assets: {
    target: assetTarget,
    records: (on) => `select r.* from asset r join ${on}`,
    values: valuesOf(assetFields, { label: 'labels' }),
  },
};

/**
 * Creates a function that returns SQL for the values of a field. `fields` contains SQL for each field without a key.
 * `maps` contains the database column of each field with a key, such as `label:app`.
 */
function valuesOf(
  fields: Readonly<Record<string, string>>,
  maps: Readonly<Record<string, string>>,
): ValueSource['values'] {
  return (field, bindings) => {
    const [name, key] = splitField(field);
    if (key === undefined) return ownValue(fields, field) ?? unknown(field);
    return `${ownValue(maps, name) ?? unknown(field)}[${bindings.bind(key)}]`;
  };
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
