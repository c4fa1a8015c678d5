import type { ByteString } from './byte-string';
import type { Reader } from './reader';
import type { VersionRange } from './versions';
import type { Writer } from './writer';

/**
 * Defines how a type is stored in a file. Codecs are composed with the functions below. Reading and writing both follow
 * from one description of the type.
 */
export interface Codec<T> {
  /** Structure of the type, for code that walks over values without decoding them. */
  readonly shape: Shape;
  /** Minimal size of a value in bytes. The reader uses it to check that a count of values fits into the file. */
  readonly least: number;
  /**
   * Only for a field that older versions do not have: the first version that has it, and its value in older versions.
   */
  readonly since?: { readonly version: number; readonly absent: T };
  read(reader: Reader): T;
  write(writer: Writer, value: T): void;
}

/**
 * Structure of a type. `embedded` is a structure inside another one. `list` and `map` do not include the flag before
 * them. `named` is an asset.
 */
export type Shape =
  | { readonly kind: 'number' | 'bool' | 'string' | 'time' }
  | { readonly kind: 'optional' | 'embedded' | 'list' | 'map'; readonly of: Codec<unknown> }
  | { readonly kind: 'pair'; readonly names: readonly string[]; readonly of: readonly Codec<unknown>[] }
  | { readonly kind: 'struct'; readonly versions: VersionRange; readonly fields: readonly FieldShape[] }
  | { readonly kind: 'named'; readonly bodies: Readonly<Record<string, Codec<unknown>>> };

export interface FieldShape {
  readonly name: string;
  readonly codec: Codec<unknown>;
  /** First version that has the field; 0 if all versions have it. */
  readonly since: number;
}

export const f64: Codec<number> = {
  shape: { kind: 'number' },
  least: 8,
  read: (reader) => reader.f64(),
  write: (writer, value) => writer.f64(value),
};

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
 * Describes a field that a structure has only from `version` on. When an older version is read, the value is `absent`.
 */
export function since<T>(version: number, codec: Codec<T>, absent: T): Codec<T> {
  return { ...codec, since: { version, absent } };
}

/** `opt T`: a flag, followed by a value if the flag is set. Null stands for no value. */
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

/** `list T`. Null and an empty list are different values. */
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
 * `map str T`, in the order of the file. If a key is repeated, its last value wins. Null and an empty map are different
 * values.
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

/** Codecs of a structure's fields. The order of the properties is the wire order. */
export type Fields<T> = { readonly [Name in Exclude<keyof T, 'version'>]: Codec<T[Name]> };

/** Codec of a structure: a version byte, followed by the fields that exist in this version. */
export function struct<T extends { version: number }>(versions: VersionRange, fields: Fields<T>): Codec<T> {
  const described = Object.entries<Codec<unknown>>(fields).map(([name, codec]) => ({
    name,
    codec,
    since: codec.since?.version ?? 0,
    absent: codec.since?.absent,
  }));
  const always = described.filter((field) => field.since === 0);
  // Create each value with all its properties at once: an object that grows by computed names becomes a slow
  // dictionary.
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
 * Creates an object with the given properties, all null. All objects that are created for the same names share one
 * hidden class.
 */
export function blankOf(names: string[]): object {
  return JSON.parse(JSON.stringify(Object.fromEntries(names.map((name) => [name, null])))) as object;
}

/**
 * `struct S` inside another structure. It is preceded by a compatibility word, which is written as 0 and ignored when
 * read.
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
