import { displayText } from './byte-string';
import type { Allocation, Asset, EtlSet } from './model';
import { clusterOf } from './set-facts';

/** How many numbers of a field are NaN or infinite, of the records of one cluster. */
export interface NotFinite {
  readonly cluster: string;
  /** As the format names it; of a part with the part's name before it, such as `pvs.cost`. */
  readonly field: string;
  readonly numbers: number;
}

/** Counts them. */
export class NotFiniteCounts {
  private readonly counts = new Map<string, NotFinite>();

  add(record: Allocation | Asset, field: string): void {
    const cluster = displayText(clusterOf(record));
    const key = `${cluster}\0${field}`;
    this.counts.set(key, { cluster, field, numbers: (this.counts.get(key)?.numbers ?? 0) + 1 });
  }

  get found(): NotFinite[] {
    return [...this.counts.values()];
  }
}

/** The set with 0 in the place of every NaN and infinite number of its records, and where these were. */
export function withoutNotFinite(set: EtlSet): { readonly set: EtlSet; readonly found: NotFinite[] } {
  const counts = new NotFiniteCounts();
  const cleaned = <T extends Allocation | Asset>(records: ReadonlyMap<string, T | null> | null) =>
    records &&
    new Map([...records].map(([key, record]) => [key, record === null ? null : withZeros(record, counts)]));
  const whole =
    set.kind === 'allocations'
      ? { ...set, allocations: cleaned(set.allocations) }
      : { ...set, assets: cleaned(set.assets) };
  return { set: whole, found: counts.found };
}

function withZeros<T extends Allocation | Asset>(record: T, counts: NotFiniteCounts): T {
  const take = (value: unknown, path: readonly string[]): unknown => {
    if (typeof value === 'number') return Number.isFinite(value) ? value : tell(path.join('.'));
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map((one) => take(one, path));
    if (value instanceof Map) return new Map([...value].map(([key, one]) => [key, take(one, path)]));
    // Of a volume the value alone has numbers; the key says which it is.
    const isPair = 'key' in value && 'value' in value;
    return Object.fromEntries(
      Object.entries(value).map(([name, one]) => [name, take(one, isPair ? path : [...path, name])]),
    );
  };
  const tell = (field: string): 0 => {
    counts.add(record, field);
    return 0;
  };
  return take(record, []) as T;
}
