import { parseWindowId } from '../etl/window';
import type { Change, Decided } from './change';
import {
  type AcceptedSource,
  type Generation,
  type QuarantinedSource,
  type QuarantineState,
  quarantineState,
} from './generation';
import { describeChange } from './measure';
import { isNamed } from './shrinkage';
import { overlaps } from './span';

/** A person's decision about quarantined or shrunk sources of a cluster. */
export type SourceChange = Extract<Change, { kind: 'accept' | 'drop' }>;

export function isSourceChange(change: Change | undefined): change is SourceChange {
  return change?.kind === 'accept' || change?.kind === 'drop';
}

/** A source that a person can decide about. */
export interface DecidableSource extends Pick<
  QuarantinedSource,
  'cluster' | 'window' | 'seen' | 'code' | 'detail' | 'dropped'
> {
  /**
   * Which data of the cluster the window contains. `shrunk`: the current file, although it has lost a large part of its
   * data.
   */
  readonly state: QuarantineState | 'shrunk';
}

/** Error code of files that have lost a large part of their data. */
const shrunkCode = 'SOURCE_SHRUNK';

/**
 * Returns the sources of a generation that a person can decide about: the quarantined ones, and those that lost a large
 * part of their data but were merged, because their windows were young.
 */
export function decidableSources({
  quarantined,
  shrunk,
}: Pick<Generation, 'quarantined' | 'shrunk'>): DecidableSource[] {
  return [
    ...quarantined.map((source) => ({ ...source, state: quarantineState(source) })),
    ...shrunk.filter(isNamed).map(({ cluster, window, seen, largest, now }) => {
      const detail = `The file has shrunk: ${describeChange(largest, now)}.`;
      return { cluster, window, seen, code: shrunkCode, detail, state: 'shrunk' as const };
    }),
  ];
}

/**
 * Returns whether a source can be merged as it is, judging by the error code with which the source is listed. A code
 * that begins with `SOURCE_` means that the file can be read, or that the file is gone and the window can be merged
 * without it. Any other code means that the file contains nothing that could be merged.
 */
export function isMergeable({ code }: Pick<QuarantinedSource, 'code'>): boolean {
  return code.startsWith('SOURCE_');
}

/** Returns whether a source belongs to the cluster, the pipeline and the windows that a change selects. */
export function selects(
  { cluster, pipeline, windows }: Pick<SourceChange, 'cluster' | 'pipeline' | 'windows'>,
  source: Pick<QuarantinedSource, 'cluster' | 'window'>,
): boolean {
  const ref = parseWindowId(source.window);
  return (
    ref !== undefined &&
    source.cluster === cluster &&
    (pipeline === undefined || ref.pipeline === pipeline) &&
    overlaps(ref.window, windows)
  );
}

/**
 * Returns whether a change would alter anything about this source. Accepting a source that cannot be merged has an
 * effect only if the source was dropped: the drop is then taken back.
 */
export function changes(
  { kind }: Pick<SourceChange, 'kind'>,
  { code, dropped, state }: Pick<DecidableSource, 'code' | 'dropped' | 'state'>,
): boolean {
  return kind === 'accept'
    ? isMergeable({ code }) || dropped !== undefined
    : dropped === undefined && state !== 'shrunk';
}

export interface DecidedSources {
  /** The base generation as it would be if the decision had been made before that generation was committed. */
  readonly base: Generation;
  readonly change: SourceChange;
  readonly decided: Decided;
  /** The sources that the decision applies to. */
  readonly sources: readonly DecidableSource[];
  /** Ids of the windows that have to be merged again: those with a source that is accepted. */
  readonly windows: ReadonlySet<string>;
  /**
   * Number of selected sources to which the decision no longer applies: `base` does not list them, or lists another
   * version of the file.
   */
  readonly outdated: number;
}

/**
 * Applies a person's decision to the sources of a generation. `shown` is the generation that the person has seen. A
 * source whose file has been replaced since then is not affected.
 */
export function decideSources(
  base: Generation,
  shown: Pick<Generation, 'quarantined' | 'shrunk'>,
  change: SourceChange,
  decided: Decided,
): DecidedSources {
  const chosen = decidableSources(shown).filter(
    (source) => selects(change, source) && changes(change, source),
  );
  const versions = new Set(chosen.map(version));
  const standing = decidableSources(base).filter((source) => versions.has(version(source)));
  const sources = standing.filter((source) => changes(change, source));
  const affected = new Set(sources.map(version));
  const isAffected = (source: VersionedSource) => affected.has(version(source));
  const accepted = change.kind === 'accept' ? sources.filter(isMergeable) : [];
  const after = {
    quarantined: [
      ...base.quarantined.filter((source) => !isAffected(source)),
      ...base.quarantined
        .filter((source) => isAffected(source) && (change.kind === 'drop' || !isMergeable(source)))
        .map((source) => ({ ...source, dropped: change.kind === 'drop' ? decided : undefined })),
    ],
    accepted: [...base.accepted, ...accepted.map((source) => accept(source, decided))],
    shrunk: base.shrunk.filter((source) => !isAffected(source)),
  };
  const windows = new Set<string>(accepted.map(({ window }) => window));
  const outdated = chosen.length - standing.length;
  return { base: { ...base, ...after }, change, decided, sources, windows, outdated };
}

function accept({ cluster, window, seen, code }: DecidableSource, decided: Decided): AcceptedSource {
  return { cluster, window, seen, code, decided };
}

type VersionedSource = Pick<QuarantinedSource, 'cluster' | 'window' | 'seen'>;

function version({ cluster, window, seen }: VersionedSource): string {
  return JSON.stringify([cluster, window, seen]);
}
