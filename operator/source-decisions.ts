import { readNewestGeneration } from '../activities/read-generations';
import { listWindowFiles } from '../activities/survey-clusters';
import { FederationError, isFederationError } from '../errors/federation-error';
import { clusterId } from '../etl/cluster-id';
import { Candidates } from '../federation/candidates';
import { requireNewest } from '../federation/damaged-generation';
import { absent } from '../federation/decision';
import type { AcceptedSource, QuarantinedSource } from '../federation/generation';
import {
  changes,
  type DecidableSource,
  decidableSources,
  isMergeable,
  selects,
  type SourceChange,
} from '../federation/source-decisions';
import type { BucketReader } from '../storage/bucket';
import { requireNoHold } from './hold';
import { findNewest, type Newest } from './newest-generation';

/** The sources that a person wants to decide about. */
export interface SourceSelection extends Pick<SourceChange, 'kind' | 'windows' | 'pipeline'> {
  readonly cluster: string;
}

/** What a decision would apply to, according to the newest generation and to the files in the bucket. */
export interface SelectedSources {
  readonly change: SourceChange;
  readonly sources: readonly DecidableSource[];
  /** Selected sources that cannot be accepted, because they have nothing that could be merged. */
  readonly impossible: readonly DecidableSource[];
  /**
   * Selected sources whose files have been replaced since the newest generation was committed. The next run
   * judges the new files.
   */
  readonly replaced: readonly DecidableSource[];
  /** Sentences that say what could not be determined. */
  readonly missing: readonly string[];
}

/**
 * Finds the sources that a person wants to decide about. Quarantined sources can be accepted or dropped. Shrunk sources
 * can only be accepted.
 *
 * @throws QUARANTINE_NOT_FOUND if there are none, or if the files of all of them have been replaced; ACCEPT_IMPOSSIBLE
 *   if none of them can be accepted; FEDERATION_ON_HOLD if a hold keeps federations from committing the decision;
 *   GENERATION_UNREADABLE if the newest generation is damaged
 */
export async function selectSources(
  bucket: BucketReader,
  { kind, cluster: id, windows, pipeline }: SourceSelection,
): Promise<SelectedSources> {
  const found = await findNewest(bucket);
  const newest = requireNewest(found);
  requireNoHold(newest);
  const cluster = clusterId(id);
  const change = {
    kind,
    cluster,
    generation: newest?.generation ?? 1,
    ...(windows && { windows }),
    ...(pipeline && { pipeline }),
  };
  const selected = newest === undefined ? [] : decidableSources(newest).filter((one) => selects(change, one));
  const possible = selected.filter((source) => changes(change, source));
  if (possible.length === 0) throw nothingToDecide(change, found, selected);
  const { replaced, missing } = await findReplaced(bucket, change, possible);
  const sources = possible.filter((source) => !replaced.includes(source));
  if (sources.length === 0) throw allReplaced(change, replaced.length);
  const impossible = kind === 'accept' ? selected.filter((source) => !possible.includes(source)) : [];
  return { change, sources, impossible, replaced, missing: [...found.damage, ...missing] };
}

function nothingToDecide(
  { kind, cluster }: SourceChange,
  { generation: newest, damage }: Newest,
  selected: readonly DecidableSource[],
): FederationError {
  const [first] = selected;
  if (first !== undefined && kind === 'accept') {
    return new FederationError('ACCEPT_IMPOSSIBLE', {
      subject: { cluster, window: first.window },
      detail: `Generation ${newest?.generation} quarantines a file that cannot be merged: ${first.code}: ${first.detail}`,
    });
  }
  if (first?.state === 'shrunk') {
    return new FederationError('QUARANTINE_NOT_FOUND', {
      subject: { cluster, window: first.window },
      detail: `Generation ${newest?.generation} has merged this file, so it cannot be dropped. ${first.detail}`,
      hint: 'Repair the window on the cluster, or accept the file: `federated-etl accept`.',
    });
  }
  const others = [...new Set(newest?.quarantined.map((source) => source.cluster))];
  const where = others.length === 0 ? 'of any cluster' : `of another cluster than ${others.join(', ')}`;
  return new FederationError('QUARANTINE_NOT_FOUND', {
    subject: { cluster },
    detail: [
      first?.dropped !== undefined
        ? `Everything that matches was dropped already, the first of it by ${first.dropped.by}.`
        : others.includes(cluster)
          ? `Generation ${newest?.generation} quarantines sources of ${cluster}, but none that matches.`
          : `Generation ${newest?.generation ?? 0} quarantines no source ${where}.`,
      ...damage,
    ].join(' '),
  });
}

function allReplaced({ cluster, generation }: SourceChange, number: number): FederationError {
  return new FederationError('QUARANTINE_NOT_FOUND', {
    subject: { cluster },
    detail:
      number === 1
        ? `The file of the source that generation ${generation} quarantines has been replaced since. The next federation judges the new one.`
        : `The files of all ${number} sources that generation ${generation} quarantines have been replaced since. The next federation judges the new ones.`,
  });
}

/** Finds the sources whose file in the bucket is no longer the version that the newest generation lists. */
async function findReplaced(
  bucket: BucketReader,
  { cluster }: SourceChange,
  sources: readonly DecidableSource[],
): Promise<Pick<SelectedSources, 'replaced' | 'missing'>> {
  try {
    const candidates = new Candidates();
    for (const file of await listWindowFiles(bucket, [cluster])) candidates.add(file);
    const now = ({ window }: DecidableSource) => candidates.of(window).get(cluster)?.version ?? absent;
    return { replaced: sources.filter((source) => now(source) !== source.seen), missing: [] };
  } catch (error) {
    if (!isFederationError(error, 'STORAGE_ACCESS_DENIED')) throw error;
    const unknown = `Whether files of ${cluster} have been replaced is unknown: these credentials do not allow listing its folder.`;
    return { replaced: [], missing: [unknown] };
  }
}

/**
 * Returns the selected sources for which the newest generation does not contain the decision. Possible causes: the file
 * was replaced before the federation read it, the file turned out to be unreadable, or the federation committed
 * nothing.
 */
export async function undecided(
  bucket: BucketReader,
  { change, sources }: SelectedSources,
): Promise<DecidableSource[]> {
  const newest = await readNewestGeneration(bucket);
  const dropped = newest?.quarantined.filter((source) => source.dropped !== undefined) ?? [];
  const isIn = (list: readonly AcceptedSource[] | readonly QuarantinedSource[], source: DecidableSource) =>
    list.some(
      ({ cluster, window, seen }) =>
        cluster === source.cluster && window === source.window && seen === source.seen,
    );
  return sources.filter((source) => {
    if (change.kind === 'drop') return !isIn(dropped, source);
    return isMergeable(source) ? !isIn(newest?.accepted ?? [], source) : isIn(dropped, source);
  });
}
