import { type Codec, embedded, optional, struct } from './codec';
import type { Instant } from './instant';
import type { TimeWindow } from './model';
import { corrupt } from './refusal';
import { windowVersions } from './versions';

/** Start of the year 1 in unix seconds. Files store times as seconds since then. */
export const year1 = -62135596800;
/**
 * The greatest distance from 1970 that a JS Date can represent, in seconds. A time beyond it is reported as corrupt.
 */
export const farthest = 8.64e12;

/**
 * Codec of a time: a little-endian length (15 or 16), then that number of bytes from Go's MarshalBinary, which are
 * big-endian.
 */
export const time: Codec<Instant> = {
  shape: { kind: 'time' },
  least: 4 + 15,
  read: (reader) => {
    const at = reader.position;
    const length = reader.i32();
    if (length !== 15 && length !== 16) throw corrupt(at, `A time of ${length} bytes.`);
    const form = reader.u8();
    if (form !== length - 14) throw corrupt(at + 4, `A time of ${length} bytes in form ${form}.`);
    const seconds = reader.i64be() + year1;
    const nanos = reader.u32be();
    if (Math.abs(seconds) > farthest || nanos >= 1e9) throw corrupt(at + 5, 'Not a valid time.');
    return {
      seconds,
      nanos,
      zoneMinutes: reader.i16be(),
      zoneSeconds: form === 2 ? reader.i8() : null,
    };
  },
  write: (writer, value) => {
    const form = value.zoneSeconds === null ? 1 : 2;
    writer.i32(14 + form);
    writer.u8(form);
    writer.i64be(value.seconds - year1);
    writer.u32be(value.nanos);
    writer.i16be(value.zoneMinutes);
    if (value.zoneSeconds !== null) writer.i8(value.zoneSeconds);
  },
};

/** Codec of a window inside another structure. */
export const window: Codec<TimeWindow> = embedded(
  struct<TimeWindow>(windowVersions, { start: optional(time), end: optional(time) }),
);
