import { count } from '../federation/count';
import type { PassedOverPlaces } from '../local-etl/passed-over';

/** A local file in the summary of a push or pull, and the reason why it is listed there, such as an error. */
export interface FileNote {
  /** Path of the file below `bingen/`. */
  path: string;
  why: string;
  /** Code of the error; undefined if the reason is not an error. */
  code?: string;
}

/** A number of files, with the first few as examples. */
export interface FileNotes {
  count: number;
  examples: FileNote[];
}

const shownExamples = 20;

/** Counts a file. Also adds it to the examples, unless there are enough already. */
export function noteFile(notes: FileNotes, note: FileNote): void {
  notes.count++;
  if (notes.examples.length < shownExamples) notes.examples.push(note);
}

/** The files, folders and links that a scan of the local ETL skipped. */
export type PassedOverNotes = Readonly<Record<'unreadable' | 'links', FileNotes>>;

/** Returns notes of the places that a scan of the local ETL skipped. */
export function notesOf(passedOver: PassedOverPlaces): PassedOverNotes {
  const notes = { unreadable: { count: 0, examples: [] }, links: { count: 0, examples: [] } };
  notePassedOver(notes, passedOver);
  return notes;
}

/** Adds the places that a scan of the local ETL skipped to a summary. */
export function notePassedOver(summary: PassedOverNotes, { unreadable, links }: PassedOverPlaces): void {
  for (const { path, why } of unreadable) noteFile(summary.unreadable, { path, why });
  for (const { path, why } of links) noteFile(summary.links, { path, why });
}

/** Describes the places that a scan skipped: one sentence for each kind, with an example. */
export function describePassedOver({ unreadable, links }: PassedOverNotes): string[] {
  const [place, link] = [unreadable.examples[0], links.examples[0]];
  return [
    ...(place
      ? [`${count(unreadable.count, 'place')} could not be read, such as ${place.path}: ${place.why}`]
      : []),
    ...(link ? [`${count(links.count, 'link')} not followed, such as ${link.path}.`] : []),
  ];
}
