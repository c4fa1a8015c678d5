import { parseWindowId } from '../etl/window';
import type { Change, Decided } from './change';
import type { AcceptedSource, Generation, QuarantinedSource } from './generation';
import { overlaps } from './span';

/** A person's decision about quarantined sources of a cluster. */
export type SourceChange = Extract<Change, { kind: 'accept' | 'drop' }>;

export function isSourceChange(change: Change | undefined): change is SourceChange {
  return change?.kind === 'accept' || change?.kind === 'drop';
}

/**
 * Returns whether a source that is quarantined with this error code can be accepted. If the code begins with `SOURCE_`,
 * the file can be read or is gone. With any other code, the file contains nothing that could be merged.
 */
export function isAcceptable(code: string): boolean {
  return code.startsWith('SOURCE_');
}

/** Returns whether a quarantined source belongs to the cluster, the pipeline and the windows that a change selects. */
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

/** Returns whether a change would alter anything about this quarantined source. */
export function changes({ kind }: Pick<SourceChange, 'kind'>, source: QuarantinedSource): boolean {
  return kind === 'accept' ? isAcceptable(source.code) : source.dropped === undefined;
}

export interface DecidedSources {
  /** The base generation as it would be if the decision had been made before that generation was committed. */
  readonly base: Generation;
  readonly change: SourceChange;
  readonly decided: Decided;
  /** The sources that the decision applies to. */
  readonly sources: readonly QuarantinedSource[];
  /** Number of selected sources that `base` no longer quarantines in the version that the person has seen. */
  readonly outdated: number;
}

/**
 * Applies a person's decision to the quarantined sources of a generation. `shown` is the generation that the person has
 * seen. A source whose file has been replaced since then is not affected.
 */
export function decideSources(
  base: Generation,
  shown: Pick<Generation, 'quarantined'>,
  change: SourceChange,
  decided: Decided,
): DecidedSources {
  const chosen = shown.quarantined.filter((source) => selects(change, source) && changes(change, source));
  const versions = new Set(chosen.map(version));
  const standing = base.quarantined.filter((source) => versions.has(version(source)));
  const sources = standing.filter((source) => changes(change, source));
  const affected = new Set(sources.map(version));
  const others = base.quarantined.filter((source) => !affected.has(version(source)));
  const after =
    change.kind === 'accept'
      ? {
          quarantined: others,
          accepted: [...base.accepted, ...sources.map((source) => accept(source, decided))],
        }
      : { quarantined: [...others, ...sources.map((source) => ({ ...source, dropped: decided }))] };
  return { base: { ...base, ...after }, change, decided, sources, outdated: chosen.length - standing.length };
}

function accept({ cluster, window, seen, code }: QuarantinedSource, decided: Decided): AcceptedSource {
  return { cluster, window, seen, code, decided };
}

function version({ cluster, window, seen }: QuarantinedSource): string {
  return JSON.stringify([cluster, window, seen]);
}
