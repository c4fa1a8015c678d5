import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readNewestGeneration } from '../activities/read-generations';
import { describeError } from '../errors/federation-error';
import { clusterId } from '../etl/cluster-id';
import type { WindowId } from '../etl/window';
import { readIntact } from '../federation/document';
import { documents } from '../federation/documents';
import type { Generation } from '../federation/generation';
import {
  clusterEtlKey,
  combinedEtlKey,
  combinedEtlPrefix,
  objectKey,
  parseEtlKey,
} from '../federation/layout';
import { readAll } from '../storage/read-all';
import { sameMeaning } from '../test/etl/same-meaning';
import { names } from '../workflows/names';
import { apiDifferences } from './api-totals';
import { localWindows } from './local-files';
import { digestOf, pipelineOf } from './truth';
import type { Check, Violation } from './violation';
import { clusters, primary, type World } from './world';

/** Thrown when something has not come about within the time limit. */
class Stuck extends Error {
  constructor(readonly violation: Violation) {
    super(violation.what);
  }
}

const lookEveryMs = 300;
/** A wait of this many seconds or more is reported. */
const longWaitSeconds = 10;

/**
 * Ends all disturbances, waits until the federation has settled, and compares the result with what it has to be.
 * Returns the violations. If a wait exceeds its limit, a violation says what was waited for.
 */
export class Settling {
  constructor(
    private readonly world: World,
    /** Time limit of each wait, in milliseconds. */
    private readonly patienceMs: number,
    private readonly say: (line: string) => void = () => undefined,
  ) {}

  async run(): Promise<Violation[]> {
    try {
      await this.#settle();
      return [];
    } catch (error) {
      if (error instanceof Stuck) return [error.violation];
      throw error;
    }
  }

  async #settle(): Promise<void> {
    const { world } = this;
    for (const victim of world.victims) victim.resume();
    const schedule = world.client.schedule.getHandle(names('').schedule);
    await this.#until('stuck', 'every process to serve', async () =>
      world.victims.filter((victim) => !victim.isReady()).map(({ name }) => `${name} does not serve`),
    );
    await this.#until('stuck', 'the clusters to push what they wrote last', () => this.#unpushed());
    await this.#until('merge', 'the combined set to equal the independent merge', async () =>
      this.#unmerged(await this.#newest()),
    );
    await this.#until('published', 'the published files to equal the combined set', async () =>
      this.#unpublished(await this.#newest()),
    );
    await this.#until('stuck', 'Temporal to pause the schedule', async () => {
      await schedule.pause('chaos looks for what is left');
      return [];
    });
    await this.#until('leftover', 'all runs to end', () => this.#openRuns());
    const generation = await this.#newest();
    await this.#until('merge', 'the combined set to stay', async () => this.#unmerged(generation));
    await this.#until('pull', 'the primary to have the combined set', () => this.#unpulled(generation));
    await this.#until('api', 'the API to report the totals of the combined set', () =>
      apiDifferences(world.apiUrl, generation, world.truth),
    );
    await this.#withoutLeftovers();
    await this.#until('stuck', 'Temporal to continue the schedule', async () => {
      await schedule.unpause();
      return [];
    });
  }

  /** Calls `look` until it returns no differences. Throws Stuck with the last ones after the time limit. */
  async #until(check: Check, what: string, look: () => Promise<string[]>, patienceMs = this.patienceMs) {
    let differences: string[];
    const began = Date.now();
    for (const deadline = began + patienceMs; ; await sleep(lookEveryMs)) {
      differences = await this.world.client
        .withDeadline(Date.now() + 10_000, look)
        .catch((error: unknown) => [describeError(error)]);
      if (differences.length === 0) {
        const seconds = Math.round((Date.now() - began) / 1000);
        if (seconds >= longWaitSeconds) this.say(`waited ${seconds} s for ${what}`);
        return;
      }
      if (Date.now() > deadline) break;
    }
    const more = differences.length > 3 ? `; and ${differences.length - 3} more` : '';
    const text = `Waited ${Math.round(patienceMs / 1000)} s in vain for ${what}: ${differences.slice(0, 3).join('; ')}${more}`;
    throw new Stuck({ check, what: text });
  }

  async #newest(): Promise<Generation> {
    const newest = await readNewestGeneration(this.world.store.bucket);
    if (newest === undefined) throw new Error('nothing was committed yet');
    return newest;
  }

  async #unpushed(): Promise<string[]> {
    const { truth } = this.world;
    const differences: string[] = [];
    for (const cluster of clusters)
      for (const window of truth.windowsOf(cluster)) {
        const pushed = await this.#digest(clusterEtlKey(clusterId(cluster), window));
        if (pushed !== digestOf(truth.file(cluster, window)))
          differences.push(`${window} of ${cluster} is not what it wrote last`);
      }
    return differences;
  }

  async #unmerged(generation: Generation): Promise<string[]> {
    const { truth } = this.world;
    const included = generation.membership.clusters.join(', ');
    const number = `generation ${generation.generation}`;
    if (included !== truth.included().join(', '))
      return [`${number} includes ${included}; it has to include ${truth.included().join(', ')}`];
    const differences = generation.quarantined
      .filter(({ cluster }) => !truth.excluded.has(cluster))
      .map(({ cluster, window, code }) => `${window} of ${cluster} is quarantined in ${number}: ${code}`);
    for (const window of truth.windows()) {
      const named = generation.windows[window];
      if (named === undefined) {
        differences.push(`${number} lacks ${window}`);
        continue;
      }
      const { bytes } = await readAll(this.world.store.bucket, objectKey(named.fingerprint));
      const [difference] = sameMeaning(pipelineOf(window), bytes, truth.merged(window) as never);
      if (difference !== undefined)
        differences.push(`${window} of ${number} differs from the independent merge at ${difference}`);
    }
    for (const window of Object.keys(generation.windows))
      if (!truth.windows().includes(window as WindowId))
        differences.push(`${number} has ${window}, nobody else has`);
    return differences;
  }

  async #unpublished(generation: Generation): Promise<string[]> {
    const { bucket } = this.world.store;
    const differences: string[] = [];
    const record = await readIntact(bucket, documents.published.at());
    if (record?.generation !== generation.generation)
      differences.push(
        `generation ${record?.generation} is published, ${generation.generation} is the newest`,
      );
    for (const [window, { digest }] of Object.entries(generation.windows))
      if ((await this.#digest(combinedEtlKey(window as WindowId))) !== digest)
        differences.push(`the published ${window} is not that of generation ${generation.generation}`);
    for await (const entry of bucket.list(combinedEtlPrefix))
      if (entry.kind === 'object' && parseEtlKey(combinedEtlPrefix, entry.key) === undefined)
        differences.push(`${entry.key} is left`);
    return differences;
  }

  async #unpulled(generation: Generation): Promise<string[]> {
    const etl = this.world.etl(primary);
    const local = await localWindows(etl);
    const differences = local
      .filter((window) => generation.windows[window] === undefined)
      .map((window) => `the primary has ${window}, which is in no generation`);
    for (const [window, { digest }] of Object.entries(generation.windows)) {
      const bytes = await readFile(path.join(etl, 'bingen', window)).catch(() => undefined);
      if (bytes === undefined || digestOf(bytes) !== digest)
        differences.push(`the primary's ${window} is not that of generation ${generation.generation}`);
    }
    return differences;
  }

  async #digest(key: string): Promise<string | undefined> {
    const { bytes } = await readAll(this.world.store.bucket, key);
    return digestOf(bytes);
  }

  /** Returns the open workflows, except those that run for ever. */
  async #openRuns(): Promise<string[]> {
    const { client } = this.world;
    const { roster, push, pull } = names('');
    const standing = new Set([roster, pull(primary), ...clusters.map((cluster) => push(cluster))]);
    const open: string[] = [];
    for await (const { workflowId, type } of client.workflow.list({ query: "ExecutionStatus = 'Running'" }))
      if (!standing.has(workflowId) && !type.startsWith('temporal-sys')) open.push(`${workflowId} is open`);
    return open;
  }

  /**
   * Looks for what killed processes may have left. Temporary files are removed by the next start once they are old
   * enough, so if there are any, all processes are restarted.
   */
  async #withoutLeftovers(): Promise<void> {
    if ((await this.#leftovers()).length === 0) return;
    await sleep(oldAfterMs);
    await Promise.all(this.world.processes.map((one) => one.restart()));
    await this.#until('leftover', 'locks and temporary files to be removed', () => this.#leftovers());
  }

  async #leftovers(): Promise<string[]> {
    const left = (await this.world.store.leftovers()).map((name) => `the store has ${name}`);
    for await (const entry of this.world.store.bucket.list(''))
      if (entry.kind === 'object' && entry.key.includes('/probe/')) left.push(`the store has ${entry.key}`);
    for (const cluster of clusters) {
      const files = await readdir(this.world.etl(cluster), { recursive: true });
      for (const file of files)
        if (file.includes('.federated-etl/locks/') || path.basename(file).startsWith(temporary))
          left.push(`${cluster} has ${file}`);
    }
    return left;
  }
}

/** Age from which temporary files count as left behind, as in `shortened.ts`, and a little more. */
const oldAfterMs = 16_000;
/** How names of temporary files in a local ETL begin. */
const temporary = '.tmp-';
