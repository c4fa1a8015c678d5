import { blankOf, type Codec, type Fields, struct } from './codec';
import type { VersionRange } from './versions';

/*
 * A field's description defines in one place how the field is stored in a file (and since which version), and how its
 * values are added when two records are added. Neither can be omitted, so no field gets lost when records are added.
 */

/** Adds two values of a field. `a` is from the record that was met first. Changes neither value. */
export type Rule<T, Context> = (a: T, b: T, context: Context) => T;

/** A field that is added without looking at other fields. */
export interface Field<T, Context> {
  readonly codec: Codec<T>;
  readonly add: Rule<T, Context>;
}

/**
 * A field that can only be added by looking at other fields as well. The function that adds the structure computes its
 * sum (see `adding`).
 */
export interface OwnField<T> {
  readonly codec: Codec<T>;
  readonly add: 'own';
}

/** Name of a field of a structure. */
export type FieldName<T> = Exclude<keyof T, 'version'>;

/** Name of a numeric field of a structure, which may be nullable. */
export type NumberName<T> = {
  [Name in FieldName<T>]: NonNullable<T[Name]> extends number ? Name : never;
}[FieldName<T>];

/**
 * Describes every field of a structure. The order of the properties is the wire order. `Context` is what the rules need
 * to know about the two records that are added.
 */
export type Description<T, Context> = {
  readonly [Name in FieldName<T>]: Field<T[Name], Context> | OwnField<T[Name]>;
};

/**
 * Describes a field that is added without looking at other fields. If only newer versions have the field, wrap its
 * codec in `since`.
 */
export function field<T, Context>(codec: Codec<T>, add: Rule<T, Context>): Field<T, Context> {
  return { codec, add };
}

/** Describes a field that can only be added by looking at other fields as well. */
export function ownField<T>(codec: Codec<T>): OwnField<T> {
  return { codec, add: 'own' };
}

/** Makes the codec of a structure: a version byte, followed by the fields that exist in this version. */
export function described<T extends { version: number }>(
  versions: VersionRange,
  description: Description<T, never>,
): Codec<T> {
  const codecs = fieldsOf(description).map(([name, { codec }]) => [name, codec]);
  return struct<T>(versions, Object.fromEntries(codecs) as Fields<T>);
}

/** Name of a field that is described by `ownField`. */
type OwnName<D> = { [Name in keyof D]: D[Name] extends { readonly add: 'own' } ? Name : never }[keyof D];

/**
 * Makes the function that adds two structures. It adds each field by its rule, and the sum has the higher of the two
 * versions. It changes neither structure.
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
  // A sum has the same properties in the same order as a record that was read, so that all records share one hidden
  // class.
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

/** The `addOwn` of a structure without fields that are described by `ownField`. */
export function nothingOwn(): Record<never, never> {
  return {};
}

type AnyField = { readonly codec: Codec<unknown>; readonly add: 'own' | Rule<unknown, unknown> };

function fieldsOf(description: object): [name: string, field: AnyField][] {
  return Object.entries(description as Record<string, AnyField>);
}
