import { Random } from './random';

/** What a process does. `primary` is a Federated Cluster that is also the Primary. */
export type Role = 'agent' | 'federator' | 'primary' | 'temporal';

export interface Target {
  readonly name: string;
  readonly role: Role;
}

/** One disturbance of the federation. */
export type Action =
  /** Kills a process with SIGKILL. It is started again at once. */
  | { readonly kind: 'kill'; readonly target: string }
  /** Stops a process with SIGSTOP for some time, then lets it continue. */
  | { readonly kind: 'stop'; readonly target: string; readonly forMs: number }
  /** Rewrites a file of a local ETL: by a rename, or in place and slowly. */
  | {
      readonly kind: 'rewrite';
      readonly cluster: string;
      readonly window: string;
      readonly how: 'at once' | 'slowly';
    }
  | { readonly kind: 'exclude' | 'include'; readonly cluster: string }
  /** Starts a federation, and excludes the cluster once the run merges. */
  | { readonly kind: 'exclude in a run'; readonly cluster: string }
  /** Starts several federations at once. */
  | { readonly kind: 'federate'; readonly runs: number }
  | { readonly kind: 'fault'; readonly fault: string; readonly forMs: number };

export interface PlannedAction {
  /** Time from the start of the round, in milliseconds. */
  readonly atMs: number;
  readonly action: Action;
}

/** How often each kind of action occurs in a round. */
export interface Intensity {
  readonly kills: number;
  readonly stops: number;
  readonly rewrites: number;
  readonly memberships: number;
  readonly federations: number;
  readonly faults: number;
}

export interface PlanOptions {
  readonly seed: string;
  readonly rounds: number;
  readonly roundMs: number;
  readonly intensity: Intensity;
  readonly targets: readonly Target[];
  /** The clusters, and which of them is the Primary. */
  readonly clusters: readonly string[];
  readonly primary: string;
  readonly windows: readonly string[];
  /** The kinds of faults that the store can have here. */
  readonly faults: readonly string[];
  /** How long a process is stopped, in milliseconds: at least, and at most. */
  readonly stopMs: readonly [number, number];
}

/** How often each role is killed or stopped, compared with the others. */
const weights: Readonly<Record<Role, number>> = { federator: 4, agent: 2, primary: 4, temporal: 3 };

/** At most this many clusters are excluded at the same time. */
const mostExcluded = 2;

/**
 * Plans all rounds. The plan depends only on the options. What happens when the plan is carried out also depends on the
 * machine, because nothing synchronizes the processes.
 */
export function planRounds(options: PlanOptions): PlannedAction[][] {
  const random = new Random(options.seed);
  const excluded = new Set<string>();
  const faults = new Rotation(options.faults, random);
  return Array.from({ length: options.rounds }, () => planRound(options, random, excluded, faults));
}

function planRound(
  { roundMs, intensity, targets, clusters, primary, windows, faults, stopMs }: PlanOptions,
  random: Random,
  excluded: Set<string>,
  nextFault: Rotation,
): PlannedAction[] {
  const planned: PlannedAction[] = [];
  const anywhere = () => random.between(0, roundMs);
  const weighted = targets.flatMap((target) => new Array<Target>(weights[target.role]).fill(target));
  for (let n = 0; n < intensity.kills; n++)
    planned.push({ atMs: anywhere(), action: { kind: 'kill', target: random.pick(weighted).name } });
  for (let n = 0; n < intensity.stops; n++) {
    const { name } = random.pick(weighted);
    const forMs = random.between(...stopMs);
    planned.push({ atMs: anywhere(), action: { kind: 'stop', target: name, forMs } });
  }
  for (let n = 0; n < intensity.rewrites; n++) {
    const cluster = random.pick(clusters);
    // The Primary replaces files of this folder. A file that is written in place would be replaced during the write.
    const how = cluster !== primary && random.chance(0.5) ? 'slowly' : 'at once';
    planned.push({
      atMs: anywhere(),
      action: { kind: 'rewrite', cluster, window: random.pick(windows), how },
    });
  }
  for (let n = 0; n < intensity.federations; n++)
    planned.push({ atMs: anywhere(), action: { kind: 'federate', runs: random.between(1, 3) } });
  for (const atMs of Array.from({ length: intensity.memberships }, anywhere).sort((a, b) => a - b))
    planned.push({ atMs, action: membershipChange(clusters, excluded, random) });
  // The store has one fault at a time: each has a part of the round to itself.
  const most = faults.length === 0 ? 0 : intensity.faults;
  for (let n = 0; n < most; n++) {
    const part = roundMs / most;
    const forMs = random.between(part / 4, (part * 3) / 4);
    const atMs = Math.round(part * n + random.next() * (part - forMs));
    planned.push({ atMs, action: { kind: 'fault', fault: nextFault.next(), forMs } });
  }
  return planned.sort((a, b) => a.atMs - b.atMs);
}

/** Excludes one more cluster or includes one again, and notes it in `excluded`. */
function membershipChange(clusters: readonly string[], excluded: Set<string>, random: Random): Action {
  const mayExclude = excluded.size < mostExcluded;
  if (excluded.size > 0 && (!mayExclude || random.chance(0.5))) {
    const cluster = random.pick([...excluded].sort());
    excluded.delete(cluster);
    return { kind: 'include', cluster };
  }
  const cluster = random.pick(clusters.filter((one) => !excluded.has(one)));
  excluded.add(cluster);
  return { kind: random.chance(0.5) ? 'exclude' : 'exclude in a run', cluster };
}

/** Returns the items in a random order, again and again, so that each of them occurs even in a short plan. */
class Rotation {
  #left: string[] = [];

  constructor(
    private readonly items: readonly string[],
    private readonly random: Random,
  ) {}

  next(): string {
    if (this.#left.length === 0) this.#left = [...this.items];
    const found = this.random.pick(this.#left);
    this.#left.splice(this.#left.indexOf(found), 1);
    return found;
  }
}
