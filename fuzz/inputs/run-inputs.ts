import { type ChildProcess, fork } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Inputs, inputsPerBatch } from './inputs';
import type { Memory, Message, Stage, Work } from './messages';

/** Time after which an input or a round of merges counts as hanging, in milliseconds. A usual one takes a thousandth. */
const patienceMs: Readonly<Record<Stage, number>> = { file: 60_000, merge: 180_000 };

/** Heap limit of the process that tries the inputs, in MiB. It crashes if an input makes it allocate more. */
const heapMebibytes = 512;

/** Largest memory that the process may use in all, in bytes. */
export const mostMemory = 1_024 * 2 ** 20;

/** An input that made the program do what it must never do. */
export interface Failure {
  readonly index: number;
  readonly stage: Stage;
  readonly why: string;
}

export interface InputsReport {
  readonly seed: number;
  readonly inputs: number;
  /** How many inputs were answered how: by stage, then by outcome, then by mutation. */
  readonly counts: Readonly<Record<Stage, Map<string, Map<string, number>>>>;
  readonly memory: Memory;
  /** The input that took the most CPU time in the process, and the one after which its memory had grown most. */
  readonly slowest: { readonly index: number; readonly milliseconds: number };
  readonly largest: { readonly index: number; readonly grew: number };
  readonly failures: readonly Failure[];
  /** Number of inputs that were not tried, because an earlier one of their batch ended the process. */
  readonly untried: number;
}

/**
 * Tries the inputs `from` (which begins a batch) to `to` in a process of its own. If one hangs or ends the process,
 * continues with the next batch in a new one.
 *
 * @param onProgress called after each batch with the number of inputs that were tried
 */
export async function runInputs(
  { seed, from, to, ...options }: Work,
  onProgress: (tried: number) => void = () => undefined,
): Promise<InputsReport> {
  const report = new Collected(seed, to - from);
  for (let next = from; next < to;) {
    const end = await runChild({ seed, from: next, to, ...options }, (message) => {
      report.add(message);
      if (message.kind === 'memory') onProgress(report.tried);
    });
    if (end === undefined) break;
    report.failures.push(end);
    next = (Math.floor(end.index / inputsPerBatch) + 1) * inputsPerBatch;
    report.untried += Math.min(next, to) - end.index - 1;
  }
  if (report.memory.rss > mostMemory)
    report.failures.push({
      ...report.largest,
      stage: 'file',
      why: `The process used ${report.memory.rss} bytes.`,
    });
  return report;
}

/** Runs one process to its end. Returns the failure that ended it early, or undefined. */
async function runChild(work: Work, onMessage: (message: Message) => void): Promise<Failure | undefined> {
  const child = fork(path.join(__dirname, 'child.ts'), [JSON.stringify(work)], {
    execArgv: [`--max-old-space-size=${heapMebibytes}`, '--require', require.resolve('tsx/cjs')],
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    serialization: 'advanced',
  });
  let doing = { index: work.from, stage: 'file' as Stage };
  let hangs = false;
  let timer: NodeJS.Timeout | undefined;
  let said = '';
  child.stderr?.on('data', (data) => (said = `${said}${String(data)}`.slice(-4_000)));
  child.on('message', (message: Message) => {
    if (message.kind === 'begin') {
      doing = message;
      clearTimeout(timer);
      timer = setTimeout(() => (hangs = child.kill('SIGKILL')), patienceMs[message.stage]);
    }
    onMessage(message);
  });
  const [code, signal] = await ended(child);
  clearTimeout(timer);
  if (hangs) return { ...doing, why: `It took more than ${patienceMs[doing.stage] / 1_000} s.` };
  return code === 0 ? undefined : { ...doing, why: `The process ended with ${signal ?? code}: ${said}` };
}

function ended(child: ChildProcess): Promise<[number | null, NodeJS.Signals | null]> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve([code, signal]));
  });
}

class Collected implements InputsReport {
  readonly counts = { file: new Map(), merge: new Map() } as Record<Stage, Map<string, Map<string, number>>>;
  readonly failures: Failure[] = [];
  memory: Memory = { rss: 0, heapUsed: 0, external: 0, arrayBuffers: 0 };
  slowest = { index: 0, milliseconds: 0 };
  largest = { index: 0, grew: 0 };
  untried = 0;
  tried = 0;

  constructor(
    readonly seed: number,
    readonly inputs: number,
  ) {}

  add(message: Message): void {
    switch (message.kind) {
      case 'begin':
        return;
      case 'wrong':
        this.failures.push(message);
        return;
      case 'memory': {
        const { memory: one } = message;
        const most = (name: keyof Memory) => Math.max(this.memory[name], one[name]);
        this.memory = {
          rss: most('rss'),
          heapUsed: most('heapUsed'),
          external: most('external'),
          arrayBuffers: most('arrayBuffers'),
        };
        return;
      }
      case 'tried': {
        const { stage, index, mutation, outcome, milliseconds, grew } = message;
        const ofStage = this.counts[stage];
        const byMutation = ofStage.get(outcome) ?? new Map<string, number>();
        ofStage.set(outcome, byMutation.set(mutation, (byMutation.get(mutation) ?? 0) + 1));
        if (stage === 'file') this.tried++;
        if (milliseconds > this.slowest.milliseconds) this.slowest = { index, milliseconds };
        if (grew > this.largest.grew && this.memory.rss > 0) this.largest = { index, grew };
      }
    }
  }
}

/** Writes the inputs of failures into a folder, each with a note of what happened. Returns the paths of the inputs. */
export async function saveFailures(
  { seed, failures }: Pick<InputsReport, 'seed' | 'failures'>,
  folder: string,
): Promise<string[]> {
  if (failures.length === 0) return [];
  await mkdir(folder, { recursive: true });
  const inputs = new Inputs(seed);
  return Promise.all(
    failures.map(async ({ index, stage, why }) => {
      const { bytes, ...about } = inputs.at(index);
      const file = path.join(folder, `${seed}-${index}-${stage}`);
      await writeFile(file, bytes);
      await writeFile(`${file}.txt`, `${JSON.stringify(about, undefined, 2)}\n\n${why}\n`);
      return file;
    }),
  );
}
