import { blankOf, type Codec, type Fields, struct } from './codec';
import type { VersionRange } from './versions';

/*
 * The description of a field defines in one place how the field is stored in a file (and since which version), and how
 * its values are added when two records are added. Neither can be omitted, so no field is lost when records are added.
 */

/** Adds two values of a field; `a` is from the record met first. Changes neither value. */
export type Rule<T, Context> = (a: T, b: T, context: Context) => T;

/** A field whose sum does not depend on other fields. */
export interface Field<T, Context> {
  readonly codec: Codec<T>;
  readonly add: Rule<T, Context>;
}

/** A field whose sum also depends on other fields. The function that adds the structure computes it. */
export interface OwnField<T> {
  readonly codec: Codec<T>;
  readonly add: 'own';
}

/** Names of a structure's fields. */
export type FieldName<T> = Exclude<keyof T, 'version'>;

/** Names of a structure's numeric fields, including nullable ones. */
export type NumberName<T> = {
  [Name in FieldName<T>]: NonNullable<T[Name]> extends number ? Name : never;
}[FieldName<T>];

/**
 * Describes every field of a structure. The order of the properties is the wire order. `Context` is what the rules need
 * to know about both records.
 */
export type Description<T, Context> = {
  readonly [Name in FieldName<T>]: Field<T[Name], Context> | OwnField<T[Name]>;
};

/**
 * Describes a field whose sum does not depend on other fields. If only newer versions have it, wrap the codec in
 * `since`.
 */
export function field<T, Context>(codec: Codec<T>, add: Rule<T, Context>): Field<T, Context> {
  return { codec, add };
}

/** Describes a field whose sum also depends on other fields. */
export function ownField<T>(codec: Codec<T>): OwnField<T> {
  return { codec, add: 'own' };
}

/** Makes the codec of a structure: its version byte, then the fields that its version has. */
export function described<T extends { version: number }>(
  versions: VersionRange,
  description: Description<T, never>,
): Codec<T> {
  const codecs = fieldsOf(description).map(([name, { codec }]) => [name, codec]);
  return struct<T>(versions, Object.fromEntries(codecs) as Fields<T>);
}

/** Names of the fields that are described by `ownField`. */
type OwnName<D> = { [Name in keyof D]: D[Name] extends { readonly add: 'own' } ? Name : never }[keyof D];

/**
 * Makes the function that adds two structures: it adds each field by its rule, and takes the higher version. It changes
 * neither structure.
 *
 * @param addOwn returns the sums of the fields that are described by `ownField`
 */
export function adding<T extends { version: number }, Context, D extends Description<T, Context>>(
  description: D,
  addOwn: (a: T, b: T, context: Context) => Pick<T, OwnName<D> & keyof T>,
): Rule<T, Context> {
  const fields = fieldsOf(description);
  const rules = fields.flatMap(([name, { add }]) => (add === 'own' ? [] : [{ name, add }]));
  const owned = fields.flatMap(([name, { add }]) => (add === 'own' ? [name] : []));
  // Sums have the same properties in the same order as records that were read, so all records share one hidden class.
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

/** The `addOwn` of structures whose fields all have their own rules. */
export function nothingOwn(): Record<never, never> {
  return {};
}

type AnyField = { readonly codec: Codec<unknown>; readonly add: 'own' | Rule<unknown, unknown> };

function fieldsOf(description: object): [name: string, field: AnyField][] {
  return Object.entries(description as Record<string, AnyField>);
}
