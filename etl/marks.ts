import type { ByteString } from './byte-string';
import type { RecordMap, RecordOf, SetOf } from './model';
import type { MarkField, PipelineSpec } from './pipeline';
import { specOf } from './pipelines';
import type { Pipeline } from './window';

/**
 * A set's lists of marked records. A record is marked if its identity includes a certain text, the mark. Each list has
 * its own mark, such as `__idle__`, and contains the identities that include this mark. A set of allocations has two
 * lists: `idleKeys` and `externalKeys`. A set of assets has none.
 */
export type Marks<P extends Pipeline> = { [F in MarkField<P>]: Map<ByteString, boolean> };

/**
 * Returns one pair for each list of marked records that a set has: the field that contains the list, and the mark that
 * the listed records have, such as `__idle__`.
 */
export function marksOf<P extends Pipeline>({ marks }: PipelineSpec<P>): [MarkField<P>, string][] {
  return Object.entries<string>(marks) as [MarkField<P>, string][];
}

/**
 * Computes a set's lists of marked records. Each list contains the identities that include its mark, such as
 * `__idle__`.
 */
export function markedNames<P extends Pipeline>(
  spec: PipelineSpec<P>,
  records: RecordMap<RecordOf[P]> | null,
): Marks<P> {
  const marks = marksOf(spec).map(([field, text]) => ({
    field,
    text,
    names: new Map<ByteString, boolean>(),
  }));
  if (marks.length > 0) {
    for (const record of records?.values() ?? []) {
      if (record === null) continue;
      const name = spec.identity(record);
      for (const { text, names } of marks) if (name.includes(text)) names.set(name, true);
    }
  }
  return Object.fromEntries(marks.map(({ field, names }) => [field, names])) as Marks<P>;
}

/** Returns a copy of the set in which all lists of marked records, such as `idleKeys`, are null. */
export function withoutMarks<P extends Pipeline>(set: SetOf[P]): SetOf[P] {
  return { ...set, ...Object.fromEntries(marksOf(specOf(set)).map(([field]) => [field, null])) };
}

/**
 * Returns whether the set's lists of marked records (see `Marks`) equal the lists in `usual`. Returns false if sets of
 * this pipeline have no such lists.
 */
export function hasMarks<P extends Pipeline>(set: SetOf[P], usual: Marks<P>): boolean {
  const fields = marksOf(specOf(set)).map(([field]) => field);
  return fields.length > 0 && fields.every((field) => sameMarks(markField(set, field), usual[field]));
}

function markField<P extends Pipeline>(set: SetOf[P], field: MarkField<P>) {
  return set[field] as ReadonlyMap<ByteString, boolean> | null;
}

function sameMarks(
  marks: ReadonlyMap<ByteString, boolean> | null,
  usual: ReadonlyMap<ByteString, boolean>,
): boolean {
  return marks?.size === usual.size && [...marks].every(([name, marked]) => marked && usual.has(name));
}
