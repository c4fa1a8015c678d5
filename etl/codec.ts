import type { ByteString } from './byte-string';
import type { Reader } from './reader';
import type { VersionRange } from './versions';
import type { Writer } from './writer';

/**
 * How one type stands in a file. Types are put together by the functions below, and reading and writing both
 * follow from that one description.
 */
export interface Codec<T> {
  /** The fewest bytes that a value takes; counts are held against it. */
  readonly least: number;
  /** For fields that structures have only from a version on, and what they are below it. */
  readonly since?: { readonly version: number; readonly absent: T };
  read(reader: Reader): T;
  write(writer: Writer, value: T): void;
}

export const f64: Codec<number> = {
  least: 8,
  read: (reader) => reader.f64(),
  write: (writer, value) => writer.f64(value),
};

export const bool: Codec<boolean> = {
  least: 1,
  read: (reader) => reader.bool(),
  write: (writer, value) => writer.bool(value),
};

export const str: Codec<ByteString> = {
  least: 2,
  read: (reader) => reader.str(),
  write: (writer, value) => writer.str(value),
};

/** The same field, which structures have from this version on; below it, it is `absent`. */
export function since<T>(version: number, codec: Codec<T>, absent: T): Codec<T> {
  return { ...codec, since: { version, absent } };
}

/** `opt T`: a flag, then the value when there is one; null when not. */
export function optional<T>(codec: Codec<T>): Codec<T | null> {
  return {
    least: 1,
    read: (reader) => (reader.bool() ? codec.read(reader) : null),
    write: (writer, value) => {
      writer.bool(value !== null);
      if (value !== null) codec.write(writer, value);
    },
  };
}

/** `list T`: null is kept apart from an empty list. */
export function list<T>(codec: Codec<T>): Codec<T[] | null> {
  return optional({
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

/** `map str T` in the order of the file; of a repeated key the later value stands, and null is kept apart. */
export function map<T>(codec: Codec<T>): Codec<Map<ByteString, T> | null> {
  return optional({
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

/** The fields of a structure in wire order: the order in which the object names them. */
export type Fields<T> = { readonly [Name in Exclude<keyof T, 'version'>]: Codec<T[Name]> };

/** A structure: its version byte, then those of its fields which that version has. */
export function struct<T extends { version: number }>(versions: VersionRange, fields: Fields<T>): Codec<T> {
  const described = Object.entries<Codec<unknown>>(fields).map(([name, codec]) => ({
    name,
    codec,
    since: codec.since?.version ?? 0,
    absent: codec.since?.absent,
  }));
  const always = described.filter((field) => field.since === 0);
  // All properties from the start: an object that grows by computed names turns into a slow dictionary.
  const blank = blankOf(['version', ...described.map((field) => field.name)]);
  return {
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

function blankOf(names: string[]): object {
  return JSON.parse(JSON.stringify(Object.fromEntries(names.map((name) => [name, null])))) as object;
}

/** `struct S` inside another: a compatibility word in front, written 0 and ignored. */
export function embedded<T>(codec: Codec<T>): Codec<T> {
  return {
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
