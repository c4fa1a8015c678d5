import { isDeepStrictEqual } from 'node:util';
import { isErrorCode } from '../../errors/catalog';
import { FederationError } from '../../errors/federation-error';
import { encodeMerged, extractContribution } from '../../etl/contribution';
import { decodeSet, encodeSet } from '../../etl/file';
import { mergeSets } from '../../etl/merge';
import { measureOf, setWindow } from '../../etl/set-facts';
import { Splice } from '../../etl/splice/splice';
import type { Pipeline } from '../../etl/window';

/** A file and the cluster that it belongs to. */
export interface Source {
  readonly id: string;
  readonly bytes: Buffer;
}

/** How a file was answered: it was accepted, or refused with an error code. */
export type Outcome = 'accepted' | (string & {});

/** Of the refused files, the merge without one in so many is checked. */
const refusedEvery = 8;

/** Thrown if the program did something that it must never do. */
export class Wrong extends Error {}

/**
 * Decodes a file, then merges it with undamaged ones, without decoding and by decoding. Checks that both agree on
 * whether the file is good, and on the merged file. Does not change the given bytes.
 */
export function checkFile(pipeline: Pipeline, source: Source, others: readonly Source[]): Outcome {
  const decoded = outcomeOf(() => decodeSet(pipeline, source.bytes));
  const splice = new Splice(pipeline);
  const sources = [...others, source].sort((a, b) => (a.id < b.id ? -1 : 1));
  const good: Source[] = [];
  for (const one of sources) {
    const outcome = outcomeOf(() => splice.add(one.id, ownCopy(one.bytes)));
    if (one === source && outcome !== decoded)
      throw new Wrong(`The decoder says ${decoded}, the splice says ${outcome}.`);
    if (outcome === 'accepted') good.push(one);
    else if (one !== source) throw new Wrong(`An undamaged file is refused: ${outcome}`);
  }
  // A refused file must leave no trace in the merge of the others. One in so many is enough to see that.
  if (decoded !== 'accepted' && source.bytes.length % refusedEvery > 0) {
    splice.free();
    return decoded;
  }
  const { parts, contributions, inputs } = splice.finish();
  const merged = Buffer.concat([...parts].map((part) => Buffer.from(part)));
  const sets = good.map(({ id, bytes }) => ({ id, set: decodeSet(pipeline, bytes) }));
  requireSame(pipeline, merged, sets);
  const facts = sets.map(({ set }) => ({ measure: measureOf(set), window: setWindow(set) }));
  if (!isDeepStrictEqual(inputs, facts)) throw new Wrong('The splice measures the files otherwise.');
  const stored = JSON.parse(JSON.stringify(contributions)) as typeof contributions;
  stored.forEach((contribution, index) => {
    const extracted = extractContribution(pipeline, merged, contribution);
    if (!sameSet(pipeline, extracted, encodeSet(sets[index]!.set)))
      throw new Wrong(`What is extracted for ${contribution.id} is not its file.`);
  });
  splice.free();
  return decoded;
}

/** Throws `Wrong` if a merged file differs from what merging the decoded sets gives. */
export function requireSame(
  pipeline: Pipeline,
  merged: Buffer,
  sets: readonly { readonly id: string; readonly set: ReturnType<typeof decodeSet> }[],
): void {
  const expected = encodeMerged(mergeSets(pipeline, sets as never)).bytes;
  if (!encodeSet(decodeSet(pipeline, merged)).equals(expected))
    throw new Wrong('The merged file is not what the decoding merge gives.');
}

/** Compares two files. The names of idle and external records may be in any order. */
function sameSet(pipeline: Pipeline, a: Buffer, b: Buffer): boolean {
  return a.equals(b) || isDeepStrictEqual(decodeSet(pipeline, a), decodeSet(pipeline, b));
}

/** Returns how a file was answered. Throws `Wrong` if it was neither accepted nor refused with a proper error. */
function outcomeOf(work: () => unknown): Outcome {
  try {
    work();
    return 'accepted';
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    requireRefusal(error.code);
    if (error.subject.byte === undefined) throw new Wrong(`${error.code} names no byte: ${error.detail}`);
    return error.code;
  }
}

/** Throws `Wrong` if a code is not that of a bad file. */
export function requireRefusal(code: string): void {
  if (!isErrorCode(code) || !/^(ETL|SOURCE)_|^CLUSTER_NAME_TAKEN$/.test(code))
    throw new Wrong(`Refused with ${code}, which is not the code of a bad file.`);
}

/** Copies bytes to memory of their own, because the splice releases the memory of its inputs. */
function ownCopy(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}
