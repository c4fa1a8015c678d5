import type { ByteString } from './byte-string';
import type { HourKind } from './measure';
import type { Reader } from './reader';
import type { VersionRange } from './versions';
import type { Writer } from './writer';

/**
 * Reads and writes values of one type in an ETL file. The functions below build codecs from other codecs. So each type
 * is described once, for both reading and writing.
 */
export interface Codec<T> {
  /** Structure of the type. Code that handles values without decoding them is generated from it (see `compileWalk`). */
  readonly shape: Shape;
  /**
   * Minimum size of an encoded value, in bytes. The reader uses it to check that the file has room for all values of a
   * list or map.
   */
  readonly least: number;
  /**
   * Set only for a field that older versions do not have: the first version that has the field, and the field's value
   * in older versions.
   */
  readonly since?: { readonly version: number; readonly absent: T };
  read(reader: Reader): T;
  write(writer: Writer, value: T): void;
}

/**
 * Structure of a type.
 *
 * - `number`: if the number counts resource hours, `hours` is their kind.
 * - `embedded`: a structure inside another structure.
 * - `list` and `map`: a count, then the entries. The flag for null belongs to the `optional` around them.
 * - `pair`: a fixed sequence of named values.
 * - `named`: an asset, which starts with the name of its type.
 */
export type Shape =
  | { readonly kind: 'number'; readonly hours?: HourKind }
  | { readonly kind: 'bool' | 'string' | 'time' }
  | { readonly kind: 'optional' | 'embedded' | 'list' | 'map'; readonly of: Codec<unknown> }
  | { readonly kind: 'pair'; readonly names: readonly string[]; readonly of: readonly Codec<unknown>[] }
  | { readonly kind: 'struct'; readonly versions: VersionRange; readonly fields: readonly FieldShape[] }
  | { readonly kind: 'named'; readonly bodies: Readonly<Record<string, Codec<unknown>>> };

export interface FieldShape {
  readonly name: string;
  readonly codec: Codec<unknown>;
  /** First version of the structure in which this field exists. 0 if the field exists in all versions. */
  readonly since: number;
}

export const f64: Codec<number> = {
  shape: { kind: 'number' },
  least: 8,
  read: (reader) => reader.f64(),
  write: (writer, value) => writer.f64(value),
};

/** Codec of a number of resource hours of the given kind. `hoursIn` adds up these numbers. */
export function hours(kind: HourKind): Codec<number> {
  return { ...f64, shape: { kind: 'number', hours: kind } };
}

export const bool: Codec<boolean> = {
  shape: { kind: 'bool' },
  least: 1,
  read: (reader) => reader.bool(),
  write: (writer, value) => writer.bool(value),
};

export const str: Codec<ByteString> = {
  shape: { kind: 'string' },
  least: 2,
  read: (reader) => reader.str(),
  write: (writer, value) => writer.str(value),
};

/**
 * Describes a field that was added to a structure in `version`. In older versions, the field is not stored, and reading
 * returns `absent`.
 */
export function since<T>(version: number, codec: Codec<T>, absent: T): Codec<T> {
  return { ...codec, since: { version, absent } };
}

/** Codec of an optional value: a flag byte, then the value if the flag is not 0. Null means that there is no value. */
export function optional<T>(codec: Codec<T>): Codec<T | null> {
  return {
    shape: { kind: 'optional', of: codec },
    least: 1,
    read: (reader) => (reader.bool() ? codec.read(reader) : null),
    write: (writer, value) => {
      writer.bool(value !== null);
      if (value !== null) codec.write(writer, value);
    },
  };
}

/** Codec of a list: a flag, a count, then the values. A null list has flag 0, so it differs from an empty list. */
export function list<T>(codec: Codec<T>): Codec<T[] | null> {
  return optional({
    shape: { kind: 'list', of: codec },
    least: 4,
    read: (reader) => {
      const count = reader.count(codec.least);
      const values: T[] = [];
      for (let i = 0; i < count; i++) values.push(codec.read(reader));
      return values;
    },
    write: (writer, values) => {
      writer.i32(values.length);
      for (const value of values) codec.write(writer, value);
    },
  });
}

/**
 * Codec of a map with string keys. The entries of the map are in file order. If a key is repeated, the last value wins.
 * A null map has flag 0, so it differs from an empty map.
 */
export function map<T>(codec: Codec<T>): Codec<Map<ByteString, T> | null> {
  return optional({
    shape: { kind: 'map', of: codec },
    least: 4,
    read: (reader) => {
      const count = reader.count(str.least + codec.least);
      const values = new Map<ByteString, T>();
      for (let i = 0; i < count; i++) values.set(reader.str(), codec.read(reader));
      return values;
    },
    write: (writer, values) => {
      writer.i32(values.size);
      for (const [key, value] of values) {
        writer.str(key);
        codec.write(writer, value);
      }
    },
  });
}

/** Codecs of a structure's fields. The properties must be in file order. */
export type Fields<T> = { readonly [Name in Exclude<keyof T, 'version'>]: Codec<T[Name]> };

/** Codec of a structure: a version byte, followed by the fields that this version has. */
export function struct<T extends { version: number }>(versions: VersionRange, fields: Fields<T>): Codec<T> {
  const described = Object.entries<Codec<unknown>>(fields).map(([name, codec]) => ({
    name,
    codec,
    since: codec.since?.version ?? 0,
    absent: codec.since?.absent,
  }));
  const always = described.filter((field) => field.since === 0);
  // Create objects with all their properties at once. Objects that grow one property at a time become slow in V8.
  const blank = blankOf(['version', ...described.map((field) => field.name)]);
  return {
    shape: { kind: 'struct', versions, fields: described },
    least: always.reduce((bytes, field) => bytes + field.codec.least, 1),
    read: (reader) => {
      const value = { ...blank } as Record<string, unknown>;
      const version = reader.version(versions);
      value.version = version;
      for (const field of described) {
        value[field.name] = field.since > version ? field.absent : field.codec.read(reader);
      }
      return value as unknown as T;
    },
    write: (writer, value) => {
      const values = value as Record<string, unknown> & T;
      writer.u8(value.version);
      for (const field of described) {
        if (field.since <= value.version) field.codec.write(writer, values[field.name]);
      }
    },
  };
}

/**
 * Creates an object with the given properties, all null. Its copies share one V8 hidden class, which keeps property
 * access fast.
 */
export function blankOf(names: string[]): object {
  return JSON.parse(JSON.stringify(Object.fromEntries(names.map((name) => [name, null])))) as object;
}

/**
 * Codec of a structure inside another one. Before the structure, the file has a 32-bit compatibility word, which is
 * written as 0 and ignored when read.
 */
export function embedded<T>(codec: Codec<T>): Codec<T> {
  return {
    shape: { kind: 'embedded', of: codec },
    least: 4 + codec.least,
    read: (reader) => {
      reader.i32();
      return codec.read(reader);
    },
    write: (writer, value) => {
      writer.i32(0);
      codec.write(writer, value);
    },
  };
}
