import { z } from 'zod';
import type { ClusterId } from '../etl/cluster-id';
import { parseResolution, parseWindowId, type WindowId } from '../etl/window';
import { byBytes } from './byte-order';
import type { Candidates } from './candidates';
import { versionSchema, windowIdSchema } from './ids';
import { type Inventory, inventorySchema } from './inventory';

/** A turn of one writer: it starts with the writer's first push, and lasts until another writer pushes. */
const turnSchema = z.object({ writer: z.string(), since: z.string() });
type Turn = z.infer<typeof turnSchema>;

/**
 * What is known about the writers of a cluster's folder. A folder must have one writer. If it has two, such as two
 * clusters with the same id, each keeps replacing the other's files. To notice this, it is enough to watch one file per
 * cluster: that of its newest window, which every agent rewrites again and again.
 */
export const writersSchema = z.object({
  window: windowIdSchema,
  /** The last versions of the window's file, from newest to oldest. */
  versions: z.array(versionSchema),
  /**
   * The last agents that wrote a watched file, from newest to oldest. Known only for files that Federated ETL pushed:
   * their metadata contains the agent's id.
   */
  agents: z.array(turnSchema),
  /**
   * The same for the starts of agents. A cloned volume has the agent id of the original. But each start of an agent has
   * a new id, so an earlier start id comes back only if there are two volumes.
   */
  starts: z.array(turnSchema),
  /** What wrote and pushed the newest version of the watched file. */
  inventory: inventorySchema,
});
export type Writers = z.infer<typeof writersSchema>;

/** A version of a watched file. */
export interface Written {
  readonly window: WindowId;
  readonly version: Writers['versions'][number];
  /** Id of the volume from which the file was pushed; undefined if the file's metadata does not contain it. */
  readonly agent?: string;
  /** Id of the last start of a process on that volume; undefined if the file's metadata does not contain it. */
  readonly start?: string;
  readonly inventory: Inventory;
  /** Time when the file was written, by the store's clock, in milliseconds since 1970. */
  readonly modified: number;
}

const mostVersions = 4;
const mostTurns = 3;
/** How long a folder is reported to have two writers after the writer last changed, in milliseconds. */
const reportedFor = 7 * 86_400_000;

/**
 * Returns the window to watch for each cluster: the newest of its windows with the longest duration. Ignores windows
 * that start after `now`, which is in unix seconds.
 */
export function watchedWindows(candidates: Candidates, now: number): Map<ClusterId, WindowId> {
  const found = new Map<ClusterId, readonly [seconds: number, start: number, window: WindowId]>();
  for (const id of candidates.windows()) {
    const ref = parseWindowId(id);
    const seconds = parseResolution(ref?.resolution ?? '')?.seconds;
    if (ref === undefined || seconds === undefined || ref.window.start > now) continue;
    for (const cluster of candidates.of(id).keys()) {
      const [most = 0, latest = 0, window = ''] = found.get(cluster) ?? [];
      const isNewer = seconds - most || ref.window.start - latest || byBytes(window, id);
      if (isNewer > 0) found.set(cluster, [seconds, ref.window.start, id as WindowId]);
    }
  }
  return new Map([...found].map(([cluster, [, , window]]) => [cluster, window]));
}

/** Adds this version of the watched file to what is known about a cluster's writers, and returns the result. */
export function noteWritten(known: Writers | undefined, written: Written): Writers {
  const { window, version, agent, start, inventory, modified } = written;
  const earlier = known?.window === window ? known.versions : [];
  const versions = earlier[0] === version ? earlier : [version, ...earlier].slice(0, mostVersions);
  return {
    window,
    versions,
    agents: noteTurn(known?.agents, agent, modified),
    starts: noteTurn(known?.starts, start, modified),
    inventory,
  };
}

function noteTurn(known: readonly Turn[] = [], writer: string | undefined, modified: number): Turn[] {
  if (writer === undefined || known[0]?.writer === writer) return [...known];
  return [{ writer, since: new Date(modified).toISOString() }, ...known].slice(0, mostTurns);
}

/**
 * Returns whether a folder has two writers: an agent, or a start of an agent, wrote again after a different one had
 * written, or the watched file alternated between two versions. A single return to an earlier version does not count,
 * because somebody may have repaired the file. `now` is in milliseconds since 1970.
 */
export function hasTwoWriters({ versions, agents, starts }: Writers, now: number): boolean {
  if (hasReturned(agents, now) || hasReturned(starts, now)) return true;
  const [a, b, c, d] = versions;
  return d !== undefined && a === c && b === d && a !== b;
}

function hasReturned([newest, , returned]: readonly Turn[], now: number): boolean {
  if (newest === undefined || now - Date.parse(newest.since) >= reportedFor) return false;
  return newest.writer === returned?.writer;
}
