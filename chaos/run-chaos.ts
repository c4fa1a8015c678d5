import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Releasers } from '../workers/releasers';
import { Performer } from './actions';
import type { Edit } from './edits';
import { startFolderStore } from './folder-store';
import { type Intensity, type PlannedAction, planRounds, type Role } from './plan';
import { buildEdited } from './program';
import { Random } from './random';
import type { ChaosReport } from './report';
import { startS3Store } from './s3-store';
import { Sampler } from './sampler';
import { Settling } from './settle';
import { shortened } from './shortened';
import { Temporal } from './temporal';
import type { Violation } from './violation';
import { clusters, primary, startWorld, targets, type World } from './world';

export interface ChaosOptions {
  readonly seed: string;
  readonly rounds: number;
  readonly roundMs: number;
  readonly store: 'folder' | 's3';
  readonly intensity: Intensity;
  /** The only faults that the store may have. (Default: all that are possible here) */
  readonly faults?: readonly string[];
  /** Path of the Temporal CLI. */
  readonly temporalCli: string;
  /** A defect to build into the program. */
  readonly edits?: readonly Edit[];
  /** How long each state is awaited at the end of a round, in milliseconds. */
  readonly patienceMs: number;
  /** The command that repeats this run, for the report. */
  readonly command: string;
  readonly say: (line: string) => void;
}

/** How long processes are stopped, in milliseconds. The heartbeat timeout in `shortened.ts` is 5 seconds. */
const stopMs = [6_000, 9_000] as const;
/** A run ends early if it has found this many violations. */
const mostViolations = 20;

/** Returns how often each kind of action occurs in a round of this length: always as often per second. */
export function usualIntensity(roundMs: number): Intensity {
  const per20Seconds = { kills: 10, stops: 2, rewrites: 14, memberships: 2, federations: 2, faults: 2 };
  const times = (count: number) => Math.max(1, Math.round((count * roundMs) / 20_000));
  return {
    kills: times(per20Seconds.kills),
    stops: times(per20Seconds.stops),
    rewrites: times(per20Seconds.rewrites),
    memberships: times(per20Seconds.memberships),
    federations: times(per20Seconds.federations),
    faults: times(per20Seconds.faults),
  };
}

/**
 * Runs a federation and disturbs it. After each round, waits until the federation has settled, and compares the result.
 * Stops after the first round with violations. Keeps its folder only if there are any.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const started = performance.now();
  const dir = await mkdtemp(path.join(os.tmpdir(), 'federated-etl-chaos-'));
  const violations: Violation[] = [];
  const seen = new Set<string>();
  const onViolation = (violation: Violation) => {
    const key = `${violation.check} ${violation.what}`;
    if (seen.has(key) || violations.length === mostViolations) return;
    seen.add(key);
    violations.push(violation);
    options.say(`VIOLATION (${violation.check}): ${violation.what}`);
  };
  let report: ChaosReport | undefined;
  try {
    await using held = new Releasers();
    options.say('building the program');
    const program = path.join(dir, 'program');
    const script = await buildEdited(program, [...shortened, ...(options.edits ?? [])]);
    const random = new Random(`${options.seed} faults`);
    const store = options.store === 's3' ? await startS3Store(dir, random) : await startFolderStore(dir);
    held.defer(() => store.close());
    const temporal = await Temporal.start(options.temporalCli, dir);
    held.defer(() => temporal.stop());
    options.say('starting five clusters, two federators and a primary');
    const world = await startWorld(dir, { script, store, temporal, onViolation });
    held.defer(() => world.close());
    const sampler = new Sampler(world, onViolation);
    const performer = new Performer(world, onViolation);
    const settling = new Settling(world, options.patienceMs, options.say);
    const settle = async () => {
      for (const violation of await settling.run()) onViolation(violation);
      for (const victim of world.victims) victim.measure();
    };
    // Until all clusters have pushed all their files, generations do not have all clusters in all windows.
    await settle();
    const sampling = sampler.run();
    held.defer(async () => {
      sampler.stop();
      await sampling;
    });
    const rounds = await runRounds(options, { world, performer, violations, settle });
    sampler.stop();
    await sampling;
    report = {
      command: options.command,
      store: options.store,
      rounds,
      actions: performer.counts,
      samples: sampler.counts,
      generations: sampler.oracle.newest,
      peaks: largestByRole(world),
      seconds: (performance.now() - started) / 1000,
      missing: store.missing,
      violations,
      ...(violations.length > 0 && { evidence: dir }),
    };
    if (violations.length > 0) await store.keep(path.join(dir, 'bucket'));
    return report;
  } finally {
    if (report?.violations.length === 0) await rm(dir, { recursive: true, force: true });
    else await rm(path.join(dir, 'program'), { recursive: true, force: true });
  }
}

interface Running {
  readonly world: World;
  readonly performer: Performer;
  readonly violations: readonly Violation[];
  readonly settle: () => Promise<void>;
}

/** Runs the rounds. Returns how many have ended without a violation, or with the first ones. */
async function runRounds(
  options: ChaosOptions,
  { world, performer, violations, settle }: Running,
): Promise<number> {
  const { truth, store } = world;
  const plan = planRounds({
    ...options,
    targets,
    clusters,
    primary,
    windows: truth.windows(),
    faults: store.faults.filter((fault) => options.faults?.includes(fault) !== false),
    stopMs,
  });
  for (const [index, round] of plan.entries()) {
    if (violations.length > 0) return index;
    const began = performance.now();
    await perform(round, performer);
    const disturbed = performance.now();
    await settle();
    const seconds = (from: number, to: number) => ((to - from) / 1000).toFixed(0);
    options.say(
      `round ${index + 1} of ${plan.length}: disturbed for ${seconds(began, disturbed)} s, ` +
        `settled in ${seconds(disturbed, performance.now())} s`,
    );
  }
  return plan.length;
}

/** Carries out the actions of a round, each at its time. Returns when all of them are over. */
async function perform(round: readonly PlannedAction[], performer: Performer): Promise<void> {
  const began = performance.now();
  await Promise.all(
    round.map(async ({ atMs, action }) => {
      await sleep(Math.max(0, atMs - (performance.now() - began)));
      await performer.perform(action);
    }),
  );
}

function largestByRole({ victims }: World): Map<Role, number> {
  const largest = new Map<Role, number>();
  for (const { role, peakBytes } of victims) largest.set(role, Math.max(largest.get(role) ?? 0, peakBytes));
  return largest;
}
