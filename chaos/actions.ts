import { open } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeSet, encodeSet } from '../etl/file';
import { recordsOf } from '../etl/model';
import type { WindowId } from '../etl/window';
import { writeAtomically } from '../local-etl/write';
import { startFederation } from '../operator/start-federation';
import { type FederationProgress, progress } from '../workflows/messages';
import { names } from '../workflows/names';
import type { Action, Role } from './plan';
import { pipelineOf } from './truth';
import type { Violation } from './violation';
import type { World } from './world';

/** How often each disturbance was carried out. */
export interface ActionCounts {
  readonly kills: Map<Role, number>;
  readonly stops: Map<Role, number>;
  readonly faults: Map<string, number>;
  rewrites: number;
  memberships: number;
  federations: number;
}

/** Time that a slow write takes, in milliseconds. */
const slowWriteMs = 1_500;
const slowPieces = 6;
/** Time that Temporal may take to answer, in milliseconds. */
const answerWithinMs = 5_000;

/** Carries out the actions of a plan. */
export class Performer {
  readonly counts: ActionCounts = {
    kills: new Map(),
    stops: new Map(),
    faults: new Map(),
    rewrites: 0,
    memberships: 0,
    federations: 0,
  };
  /** Actions that must not overlap, by what they change. */
  readonly #queues = new Map<string, Promise<void>>();

  constructor(
    private readonly world: World,
    private readonly onViolation: (violation: Violation) => void,
  ) {}

  /** Carries out an action. Returns when it is over; for a stop or a fault, that is when it has ended. */
  async perform(action: Action): Promise<void> {
    switch (action.kind) {
      case 'kill':
        return this.#kill(action.target);
      case 'stop':
        return this.#inTurn(action.target, () => this.#stop(action.target, action.forMs));
      case 'rewrite':
        return this.#inTurn(`${action.cluster} ${action.window}`, () =>
          this.#rewrite(action.cluster, action.window as WindowId, action.how),
        );
      case 'federate':
        for (let run = 0; run < action.runs; run++) await this.#federate();
        return;
      case 'fault':
        return this.#inTurn('store', () => this.#fault(action.fault, action.forMs));
      case 'exclude':
      case 'include':
        return this.#inTurn('roster', () => this.#changeMembership(action.kind, action.cluster));
      case 'exclude in a run':
        return this.#inTurn('roster', async () => {
          await this.#untilMerging(await this.#federate());
          await this.#changeMembership('exclude', action.cluster);
        });
    }
  }

  async #inTurn(queue: string, work: () => Promise<void>): Promise<void> {
    const turn = (this.#queues.get(queue) ?? Promise.resolve()).then(work);
    this.#queues.set(
      queue,
      turn.catch(() => undefined),
    );
    return turn;
  }

  #victim(name: string) {
    const found = this.world.victims.find((victim) => victim.name === name);
    if (found === undefined) throw new RangeError(`There is no ${name}.`);
    return found;
  }

  async #kill(name: string): Promise<void> {
    const victim = this.#victim(name);
    while (!victim.kill()) await sleep(50);
    add(this.counts.kills, victim.role);
  }

  async #stop(name: string, forMs: number): Promise<void> {
    const victim = this.#victim(name);
    victim.pause();
    add(this.counts.stops, victim.role);
    await sleep(forMs);
    victim.resume();
  }

  /** Writes the file of a window again, with a higher cost in its first record. */
  async #rewrite(cluster: string, window: WindowId, how: 'at once' | 'slowly'): Promise<void> {
    const { truth } = this.world;
    const bytes = withHigherCost(window, truth.file(cluster, window));
    const file = path.join(this.world.etl(cluster), 'bingen', window);
    truth.writes(cluster, window, bytes);
    if (how === 'at once') await writeAtomically(file, bytes);
    else await writeSlowly(file, bytes);
    truth.wrote(cluster, window, bytes);
    this.counts.rewrites += 1;
  }

  /** Starts a federation. Returns undefined if Temporal does not answer. */
  async #federate(): Promise<string | undefined> {
    this.counts.federations += 1;
    const { client } = this.world;
    const request = { trigger: 'person', at: new Date().toISOString() } as const;
    return client
      .withDeadline(Date.now() + answerWithinMs, () => startFederation(client, '', request))
      .catch(() => undefined);
  }

  /** Waits for a moment until a run merges, or until it is past that. */
  async #untilMerging(run: string | undefined): Promise<void> {
    const { client } = this.world;
    for (let tries = 0; run !== undefined && tries < 30; tries++, await sleep(100)) {
      const found = await client
        .withDeadline(Date.now() + 1_000, () =>
          client.workflow.getHandle(run).query<FederationProgress>(progress),
        )
        .catch(() => undefined);
      if (found !== undefined && !['waiting for an earlier run', 'planning'].includes(found.phase)) return;
    }
  }

  /** Excludes or includes a cluster. Repeats the signal until Temporal has taken it. */
  async #changeMembership(kind: 'exclude' | 'include', cluster: string): Promise<void> {
    const { client, truth } = this.world;
    const roster = client.workflow.getHandle(names('').roster);
    for (let tries = 1; ; tries++) {
      try {
        await client.withDeadline(Date.now() + answerWithinMs, () =>
          roster.signal(`${kind}Cluster`, { cluster, reason: 'chaos' }),
        );
        break;
      } catch (error) {
        if (tries === 60) throw error;
        await sleep(500);
      }
    }
    if (kind === 'exclude') truth.excluded.add(cluster);
    else truth.excluded.delete(cluster);
    this.counts.memberships += 1;
  }

  async #fault(fault: string, forMs: number): Promise<void> {
    const end = await this.world.store.inject(fault);
    add(this.counts.faults, fault);
    await sleep(forMs);
    const wrong = await end();
    if (wrong !== undefined) this.onViolation({ check: 'generation', what: wrong });
  }
}

function add<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function withHigherCost(window: WindowId, bytes: Uint8Array): Uint8Array {
  const set = decodeSet(pipelineOf(window), bytes);
  for (const record of recordsOf(set)?.values() ?? []) {
    if (record === null || !('cpuCost' in record)) continue;
    record.cpuCost += 1;
    return encodeSet(set);
  }
  throw new TypeError(`${window} has no record with a CPU cost.`);
}

/** Writes a file in place, piece by piece, as a program does that is in no hurry. */
async function writeSlowly(file: string, bytes: Uint8Array): Promise<void> {
  await using handle = await open(file, 'w');
  for (let piece = 0; piece < slowPieces; piece++) {
    const from = Math.floor((bytes.length * piece) / slowPieces);
    await handle.write(bytes.subarray(from, Math.floor((bytes.length * (piece + 1)) / slowPieces)));
    await sleep(slowWriteMs / slowPieces);
  }
}
