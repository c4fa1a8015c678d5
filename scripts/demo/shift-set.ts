import type { Instant } from '../../etl/instant';
import { type EtlRecord, type EtlSet, recordsOf, type TimeWindow, withRecords } from '../../etl/model';
import { year1 } from '../../etl/time-codec';

/**
 * Shifts all times in an ETL set by whole seconds: the set's own window, and the window, start and end of each record.
 * Time zones stay the same.
 */
export function shiftSet(set: EtlSet, seconds: number): EtlSet {
  const shifted = { ...set, window: shiftWindow(set.window, seconds) };
  return withRecords(shifted, shiftRecords(recordsOf(set), seconds));
}

function shiftRecords<Key, R extends EtlRecord>(
  records: Map<Key, R | null> | null,
  seconds: number,
): Map<Key, R | null> | null {
  if (records === null) return null;
  return new Map([...records].map(([key, record]) => [key, record && shiftRecord(record, seconds)]));
}

function shiftRecord<R extends EtlRecord>(record: R, seconds: number): R {
  return {
    ...record,
    window: shiftWindow(record.window, seconds),
    ...('start' in record && {
      start: shiftInstant(record.start, seconds),
      end: shiftInstant(record.end, seconds),
    }),
  };
}

function shiftWindow(window: TimeWindow, seconds: number): TimeWindow {
  const { start, end } = window;
  return {
    ...window,
    start: start && shiftInstant(start, seconds),
    end: end && shiftInstant(end, seconds),
  };
}

/** Shifts an instant. Does not shift Go's zero time, because it means "no time". */
function shiftInstant(instant: Instant, seconds: number): Instant {
  if (instant.seconds === year1 && instant.nanos === 0) return instant;
  return { ...instant, seconds: instant.seconds + seconds };
}
