import { blankOf, type Codec, type Fields, struct } from './codec';
import type { VersionRange } from './versions';

/*
 * A field of a structure says two things in one place: how it stands in a file (with the version that brought it) and
 * how two records' values of it become one. Neither can be left out, so no field is lost when records are added.
 */

/** The value of a field in a sum, from those of both sides; `a` was met first. Changes neither. */
export type Rule<T, Context> = (a: T, b: T, context: Context) => T;

/** A field that follows a rule for it alone. */
export interface Field<T, Context> {
  readonly codec: Codec<T>;
  readonly add: Rule<T, Context>;
}

/** A field whose sum depends on other fields too: the function that adds the structure gives it. */
export interface OwnField<T> {
  readonly codec: Codec<T>;
  readonly add: 'own';
}

/** The names of a structure's fields. */
export type FieldName<T> = Exclude<keyof T, 'version'>;

/** The names of the fields that are numbers, including those that may be null. */
export type NumberName<T> = {
  [Name in FieldName<T>]: NonNullable<T[Name]> extends number ? Name : never;
}[FieldName<T>];

/**
 * Every field of a structure, in wire order: the order in which the object names them. `Context` is what the rules
 * need to know of both records.
 */
export type Description<T, Context> = {
  readonly [Name in FieldName<T>]: Field<T[Name], Context> | OwnField<T[Name]>;
};

/** A field with a rule for it alone. For one that only newer versions have, wrap the codec in `since`. */
export function field<T, Context>(codec: Codec<T>, add: Rule<T, Context>): Field<T, Context> {
  return { codec, add };
}

/** A field whose sum depends on other fields too. */
export function ownField<T>(codec: Codec<T>): OwnField<T> {
  return { codec, add: 'own' };
}

/** The codec of a structure: its version byte, then the fields that its version has. */
export function described<T extends { version: number }>(
  versions: VersionRange,
  description: Description<T, never>,
): Codec<T> {
  const codecs = fieldsOf(description).map(([name, { codec }]) => [name, codec]);
  return struct<T>(versions, Object.fromEntries(codecs) as Fields<T>);
}

/** The fields of a description that have no rule for them alone. */
type OwnName<D> = { [Name in keyof D]: D[Name] extends { readonly add: 'own' } ? Name : never }[keyof D];

/**
 * The function that adds two structures: every field by its rule, the version the higher one. Neither side is changed.
 *
 * @param addOwn gives the sums of the fields without a rule for them alone
 */
export function adding<T extends { version: number }, Context, D extends Description<T, Context>>(
  description: D,
  addOwn: (a: T, b: T, context: Context) => Pick<T, OwnName<D> & keyof T>,
): Rule<T, Context> {
  const fields = fieldsOf(description);
  const rules = fields.flatMap(([name, { add }]) => (add === 'own' ? [] : [{ name, add }]));
  const owned = fields.flatMap(([name, { add }]) => (add === 'own' ? [name] : []));
  // The same properties in the same order as when it is read, so that all records are of one shape.
  const blank = blankOf(['version', ...fields.map(([name]) => name)]);
  return (a, b, context) => {
    const [left, right] = [a, b] as unknown as Record<string, unknown>[];
    const sum = { ...blank, version: Math.max(a.version, b.version) } as Record<string, unknown>;
    for (const { name, add } of rules) sum[name] = add(left![name], right![name], context);
    const own = addOwn(a, b, context) as Record<string, unknown>;
    for (const name of owned) sum[name] = own[name];
    return sum as unknown as T;
  };
}

/** For structures all of whose fields have a rule for them alone. */
export function nothingOwn(): Record<never, never> {
  return {};
}

type AnyField = { readonly codec: Codec<unknown>; readonly add: 'own' | Rule<unknown, unknown> };

function fieldsOf(description: object): [name: string, field: AnyField][] {
  return Object.entries(description as Record<string, AnyField>);
}
