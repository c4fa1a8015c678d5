/** What the process that tries the inputs is asked to do. */
export interface Work {
  readonly seed: number;
  /** Index of the first input, which begins a batch, and the index after the last one. */
  readonly from: number;
  readonly to: number;
  /** How many rounds of each batch the merge activity merges. The others are only decoded and spliced. (Default: all) */
  readonly mergedRounds?: number;
}

/** The two ways in which an input is tried: alone, and by the activities of a run, together with others. */
export type Stage = 'file' | 'merge';

/** Memory of a process in bytes: the largest values that were seen. */
export interface Memory {
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
  readonly arrayBuffers: number;
}

/** What the process reports. */
export type Message =
  /** It begins to try an input, or to merge a round of inputs, of which `index` is the first one. */
  | { readonly kind: 'begin'; readonly stage: Stage; readonly index: number }
  /** It has tried an input. `grew`: by how much the largest memory of the process has grown since the last one. */
  | {
      readonly kind: 'tried';
      readonly stage: Stage;
      readonly index: number;
      readonly mutation: string;
      readonly outcome: string;
      readonly milliseconds: number;
      readonly grew: number;
    }
  /** The program did something that it must never do. `index` is the input, or the first input of the round. */
  | { readonly kind: 'wrong'; readonly stage: Stage; readonly index: number; readonly why: string }
  | { readonly kind: 'memory'; readonly memory: Memory };
