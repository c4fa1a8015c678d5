import { displayText } from './byte-string';
import { type EtlRecord, type EtlSet, type RecordOf, recordsOf, withRecords } from './model';
import { pipelineSpecs } from './pipelines';
import type { Pipeline } from './window';

/** Count of NaN and infinite values in one field of one cluster's records. */
export interface NotFinite {
  readonly cluster: string;
  /**
   * Name of the field in the ETL format. If the field is inside a part of the record, the name of the part comes first,
   * as in `pvs.cost`.
   */
  readonly field: string;
  readonly numbers: number;
}

/** Counts NaN and infinite numbers in the records of one pipeline, by cluster and field. */
export class NotFiniteCounts<P extends Pipeline = Pipeline> {
  private readonly counts = new Map<string, NotFinite>();

  constructor(private readonly pipeline: P) {}

  add(record: RecordOf[P], field: string): void {
    const cluster = displayText(pipelineSpecs[this.pipeline].clusterOf(record));
    const key = `${cluster}\0${field}`;
    this.counts.set(key, { cluster, field, numbers: (this.counts.get(key)?.numbers ?? 0) + 1 });
  }

  get found(): NotFinite[] {
    return [...this.counts.values()];
  }
}

/**
 * Replaces every NaN and infinite number in a set's records with 0. Also returns how many there were in each cluster
 * and field.
 */
export function withoutNotFinite(set: EtlSet): { readonly set: EtlSet; readonly found: NotFinite[] } {
  const counts = new NotFiniteCounts<Pipeline>(set.kind);
  const records = recordsOf(set);
  const cleaned =
    records &&
    new Map([...records].map(([key, record]) => [key, record === null ? null : withZeros(record, counts)]));
  return { set: withRecords(set, cleaned), found: counts.found };
}

function withZeros(record: EtlRecord, counts: NotFiniteCounts): EtlRecord {
  const take = (value: unknown, path: readonly string[]): unknown => {
    if (typeof value === 'number') return Number.isFinite(value) ? value : tell(path.join('.'));
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map((one) => take(one, path));
    if (value instanceof Map) return new Map([...value].map(([key, one]) => [key, take(one, path)]));
    // A volume has the form { key, value }. Omit these two names from the path, so that it becomes `pvs.cost`.
    const isPair = 'key' in value && 'value' in value;
    return Object.fromEntries(
      Object.entries(value).map(([name, one]) => [name, take(one, isPair ? path : [...path, name])]),
    );
  };
  const tell = (field: string): 0 => {
    counts.add(record, field);
    return 0;
  };
  return take(record, []) as EtlRecord;
}
