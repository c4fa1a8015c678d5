import { z } from 'zod';
import { hourKinds, type Measure } from '../etl/measure';

/** Number of records in a cluster's file, and the sums of their resource hours. */
export const measureSchema = z.object({
  records: z.number().int().nonnegative(),
  hours: z.object({
    cpuCoreHours: z.number(),
    ramByteHours: z.number(),
    gpuHours: z.number(),
    diskByteHours: z.number(),
  }),
}) satisfies z.ZodType<Measure>;

/** Compares two measures number by number. Returns a measure with the larger number of each pair. */
export function largerOf(a: Measure, b: Measure | undefined): Measure {
  if (b === undefined) return a;
  const hours = hourKinds.map((kind) => [kind, Math.max(a.hours[kind], b.hours[kind])]);
  return {
    records: Math.max(a.records, b.records),
    hours: Object.fromEntries(hours) as Measure['hours'],
  };
}

/** Returns whether any number of a measure has fallen by more than the fraction `share` of its previous value. */
export function hasLost(before: Measure, now: Measure, share: number): boolean {
  return pairs(before, now).some(([, was, is]) => was > 0 && is < was * (1 - share));
}

const units = {
  cpuCoreHours: ['core hours', 1],
  ramByteHours: ['GB hours of RAM', 1e9],
  gpuHours: ['GPU hours', 1],
  diskByteHours: ['GB hours of disks', 1e9],
} as const;

/** Describes how a measure has changed, such as `records 45 → 2, core hours 120.5 → 0`. */
export function describeChange(before: Measure, now: Measure): string {
  return pairs(before, now)
    .filter(([, was, is]) => was > 0 || is > 0)
    .map(([name, was, is]) => `${name} ${rounded(was)} → ${rounded(is)}`)
    .join(', ');
}

function pairs(before: Measure, now: Measure): [name: string, was: number, is: number][] {
  return [
    ['records', before.records, now.records],
    ...hourKinds.map((kind): [string, number, number] => {
      const [name, unit] = units[kind];
      return [name, before.hours[kind] / unit, now.hours[kind] / unit];
    }),
  ];
}

/** Rounds to three significant digits, but keeps all digits before the decimal point. */
function rounded(value: number): string {
  return String(Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3)));
}
