import type { ByteString } from './byte-string';
import type { RecordMap, RecordOf, SetOf } from './model';
import type { MarkField, PipelineSpec } from './pipeline';
import { specOf } from './pipelines';
import type { Pipeline } from './window';

/**
 * A set's lists of marked names: names of idle or external records. Has no fields for a pipeline without such lists.
 */
export type Marks<P extends Pipeline> = { [F in MarkField<P>]: Map<ByteString, boolean> };

/** Returns the fields that list marked names. Each comes with its mark: the text by which a name gets into the list. */
export function marksOf<P extends Pipeline>({ marks }: PipelineSpec<P>): [MarkField<P>, string][] {
  return Object.entries<string>(marks) as [MarkField<P>, string][];
}

/** Computes the lists of marked names from records. Each list has the identities that contain the list's mark. */
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

/** Returns the set with null in place of each list of marked names. */
export function withoutMarks<P extends Pipeline>(set: SetOf[P]): SetOf[P] {
  return { ...set, ...Object.fromEntries(marksOf(specOf(set)).map(([field]) => [field, null])) };
}

/** Whether the set's lists of marked names are exactly those in `usual`. False if the pipeline has no such lists. */
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
