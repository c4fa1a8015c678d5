import { randoms } from '../../bench/made-up';
import type { Pipeline } from '../../etl/window';
import { integer, pick, type Random } from '../random';
import { clusters, corpus, type CorpusFile, goldenSource, heavyFiles, windows } from './corpus';
import { mutate } from './mutations';

/** A file to try, and the place in the bucket where the activity finds it. */
export interface Input {
  readonly index: number;
  /** Name of the undamaged file, and how it was damaged. */
  readonly from: string;
  readonly mutation: string;
  readonly pipeline: Pipeline;
  readonly window: string;
  readonly cluster: string;
  readonly bytes: Buffer;
}

/**
 * Inputs are tried in rounds. In each round, the merge activity merges all windows once: each of them with the damaged
 * files of some clusters, and the undamaged files of the others. A batch of rounds begins with a new bucket.
 */
export const inputsPerWindow = 4;
const places = windows.map((window) => ({ window, pipeline: pipelineOf(window) }));
export const inputsPerRound = places.length * inputsPerWindow;
export const roundsPerBatch = 8;
export const inputsPerBatch = inputsPerRound * roundsPerBatch;

/** One in so many inputs is made from a heavy file. */
const heavyEvery = 500;

function pipelineOf(window: string): Pipeline {
  return window.startsWith('assets') ? 'assets' : 'allocations';
}

/** Makes the inputs of a run. The same seed and index always give the same input. */
export class Inputs {
  private readonly files: Readonly<Record<Pipeline, readonly CorpusFile[]>>;
  private readonly heavy = heavyFiles();

  constructor(private readonly seed: number) {
    const all = corpus(seed);
    const of = (pipeline: Pipeline) => all.filter((file) => file.pipeline === pipeline);
    this.files = { allocations: of('allocations'), assets: of('assets') };
  }

  at(index: number): Input {
    const random = randoms(Math.imul(this.seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b));
    for (let warm = 0; warm < 4; warm++) random();
    const { window, pipeline } = places[Math.floor(index / inputsPerWindow) % places.length]!;
    // Four clusters of five, which differ from round to round.
    const cluster =
      clusters[(Math.floor(index / inputsPerRound) + (index % inputsPerWindow)) % clusters.length]!;
    const at = { index, pipeline, window, cluster };
    if (pipeline === 'allocations' && integer(random, heavyEvery) === 0) {
      const { name, bytes } = pick(random, this.heavy);
      return { ...at, from: name, mutation: 'heavy', bytes: Buffer.from(bytes) };
    }
    const file = this.file(random, at);
    const other = this.file(random, at);
    const { mutation, bytes } = mutate(random, file.bytes, other.bytes);
    return { ...at, from: file.name, mutation, bytes };
  }

  /** Picks a file: often the one that belongs there, which is more likely to be accepted after the damage. */
  private file(
    random: Random,
    { pipeline, cluster, window }: Pick<Input, 'pipeline' | 'cluster' | 'window'>,
  ): CorpusFile {
    if (random() < 0.4)
      return { name: `golden ${cluster} ${window}`, pipeline, bytes: goldenSource(cluster, window) };
    return pick(random, this.files[random() < 0.02 ? otherThan(pipeline) : pipeline]);
  }
}

function otherThan(pipeline: Pipeline): Pipeline {
  return pipeline === 'assets' ? 'allocations' : 'assets';
}
