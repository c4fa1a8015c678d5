import { blankOf, type Codec, type Fields, struct } from './codec';
import type { VersionRange } from './versions';

/*
 * The description of a field says how the field is stored in a file, and how to add its values when two records are
 * added. TypeScript requires both, so no field can be forgotten.
 */

/** Adds two values of a field. `a` comes from the earlier input of the merge. Does not change `a` or `b`. */
export type Rule<T, Context> = (a: T, b: T, context: Context) => T;

/** A field whose values can be added up without knowing other fields. */
export interface Field<T, Context> {
  readonly codec: Codec<T>;
  readonly add: Rule<T, Context>;
}

/** A field whose sum depends on other fields. The `addOwn` function that is passed to `adding` computes the sum. */
export interface OwnField<T> {
  readonly codec: Codec<T>;
  readonly add: 'own';
}

/** Name of any field of a structure except its version. */
export type FieldName<T> = Exclude<keyof T, 'version'>;

/** Name of a numeric field of a structure. The field may be nullable. */
export type NumberName<T> = {
  [Name in FieldName<T>]: NonNullable<T[Name]> extends number ? Name : never;
}[FieldName<T>];

/**
 * Describes every field of a structure, in file order. `Context` is the type of the third argument that the rules
 * receive, such as the durations of the two records.
 */
export type Description<T, Context> = {
  readonly [Name in FieldName<T>]: Field<T[Name], Context> | OwnField<T[Name]>;
};

/**
 * Describes a field whose sum does not depend on other fields. If older versions of the file format lack the field,
 * `codec` must be wrapped in `since`.
 */
export function field<T, Context>(codec: Codec<T>, add: Rule<T, Context>): Field<T, Context> {
  return { codec, add };
}

/** Describes a field whose sum depends on other fields. */
export function ownField<T>(codec: Codec<T>): OwnField<T> {
  return { codec, add: 'own' };
}

/** Returns the codec of a structure: a version byte, followed by the fields that this version has. */
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
 * Returns a function that adds two structures without changing them. The sum has the higher of their two versions.
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
  // Use the same properties in the same order as a decoded record, so that V8 gives both the same hidden class.
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

/** An `addOwn` function for a structure without any field that is described by `ownField`. */
export function nothingOwn(): Record<never, never> {
  return {};
}

type AnyField = { readonly codec: Codec<unknown>; readonly add: 'own' | Rule<unknown, unknown> };

function fieldsOf(description: object): [name: string, field: AnyField][] {
  return Object.entries(description as Record<string, AnyField>);
}
