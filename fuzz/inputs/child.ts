import { checkFile, type Source } from './check-file';
import { goldenSource } from './corpus';
import { FuzzedBucket, startFuzzThreads } from './fuzzed-bucket';
import { type Input, Inputs, inputsPerBatch, inputsPerRound, roundsPerBatch } from './inputs';
import type { Memory, Message, Stage, Work } from './messages';

/** Tries inputs, and reports to the parent process. It is a process of its own, so that it may hang or crash. */
async function main({ seed, from, to, mergedRounds = roundsPerBatch }: Work): Promise<void> {
  const inputs = new Inputs(seed);
  const threads = startFuzzThreads();
  const watch = new MemoryWatch();
  for (let batch = from; batch < to; batch += inputsPerBatch) {
    const bucket = FuzzedBucket.open(threads);
    const end = Math.min(batch + inputsPerBatch, to);
    for (let round = batch; round < end; round += inputsPerRound) {
      const all = Array.from({ length: Math.min(inputsPerRound, end - round) }, (_, i) =>
        inputs.at(round + i),
      );
      for (const input of all) {
        await attempt('file', input.index, watch, async () => [[input, checkAlone(input)]]);
      }
      if (round >= batch + mergedRounds * inputsPerRound) continue;
      await attempt('merge', round, watch, async () => {
        const outcomes = await bucket.merge(all);
        return all.map((input, place) => [input, outcomes[place] ?? 'accepted']);
      });
    }
    await bucket.close();
    await say({ kind: 'memory', memory: watch.memory });
  }
  await threads.close();
  process.disconnect();
}

/** Checks an input together with the undamaged files of two other clusters. */
function checkAlone({ pipeline, window, cluster, bytes }: Input): string {
  const others = ['cluster-1', 'cluster-3', 'cluster-5']
    .filter((other) => other !== cluster)
    .slice(0, 2)
    .map((id): Source => ({ id, bytes: goldenSource(id, window) }));
  return checkFile(pipeline, { id: cluster, bytes }, others);
}

/** Does a stage of the work, and reports its outcomes, or the error that must never occur. */
async function attempt(
  stage: Stage,
  index: number,
  watch: MemoryWatch,
  work: () => Promise<[Input, string][]>,
): Promise<void> {
  await say({ kind: 'begin', stage, index });
  const before = process.cpuUsage();
  try {
    const outcomes = await work();
    const { user, system } = process.cpuUsage(before);
    const milliseconds = (user + system) / 1_000 / outcomes.length;
    const grew = watch.look() / outcomes.length;
    for (const [{ index, mutation }, outcome] of outcomes)
      await say({ kind: 'tried', stage, index, mutation, outcome, milliseconds, grew });
  } catch (error) {
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    await say({ kind: 'wrong', stage, index, why });
  }
}

/** Follows the largest memory of this process. */
class MemoryWatch {
  memory: Memory = { rss: 0, heapUsed: 0, external: 0, arrayBuffers: 0 };

  /** Returns by how many bytes the largest memory has grown since the last call. */
  look(): number {
    const { heapUsed, external, arrayBuffers } = process.memoryUsage();
    const rss = process.resourceUsage().maxRSS * 1_024;
    const grew = rss - this.memory.rss;
    this.memory = {
      rss,
      heapUsed: Math.max(this.memory.heapUsed, heapUsed),
      external: Math.max(this.memory.external, external),
      arrayBuffers: Math.max(this.memory.arrayBuffers, arrayBuffers),
    };
    return grew;
  }
}

/** Sends a message, and waits until it is on its way: what follows may block this thread for ever. */
async function say(message: Message): Promise<void> {
  await new Promise((resolve) => process.send?.(message, undefined, {}, resolve));
}

void main(JSON.parse(process.argv[2] ?? '') as Work);
