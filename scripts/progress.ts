import { Presets, SingleBar } from 'cli-progress';
import { visibleText } from '../etl/visible-text';
import { terminalLines } from './colour';

/**
 * Progress display for a long task. Declare it with `using`, so that the progress bar is removed when the task ends.
 */
export interface Progress extends Disposable {
  /** Shows that `done` of `of` items are finished. `phase` is the name of the current phase, if the task has phases. */
  update(this: void, done: number, of: number, phase?: string): void;
  /** Prints lines of text that are not progress. On a terminal, they appear above the progress bar. */
  note(this: void, ...lines: string[]): void;
}

export interface ProgressOptions {
  /** Plural noun for the items of the task. (Default: windows) */
  readonly noun?: string;
  /**
   * Prints lines of text. Called for messages, and for progress if `stream` is not a terminal. (Default: prints to
   * `stream`)
   */
  readonly say?: Say;
  /** The stream on which progress is shown. (Default: standard error) */
  readonly stream?: NodeJS.WriteStream;
}

/**
 * Returns a progress display. On a terminal, it shows a progress bar. On any other stream, it prints a line for each
 * new phase and after each tenth of the task. It shows nothing before the first update.
 */
export function showProgress(what: string, options: ProgressOptions = {}): Progress {
  const { noun = 'windows', stream = process.stderr } = options;
  const say = options.say ?? ((...texts: string[]) => void stream.write(terminalLines(texts)));
  return stream.isTTY ? bar(what, noun, stream, say) : lines(what, noun, say);
}

type Say = (...lines: string[]) => void;

function bar(what: string, noun: string, stream: NodeJS.WriteStream, say: Say): Progress {
  const shown = new SingleBar(
    {
      format: `${visibleText(what)} {phase}{bar} {value}/{total} ${noun}`,
      clearOnComplete: true,
      hideCursor: true,
      stream,
    },
    Presets.shades_classic,
  );
  let last: [done: number, total: number, payload: { phase: string }] | undefined;
  return {
    update(done, of, phase) {
      // A bar with a total of 0 would look full. So the total is at least 1.
      last = [done, Math.max(of, 1), { phase: phase === undefined ? '' : `${visibleText(phase)} ` }];
      const [, total, payload] = last;
      if (!shown.isActive) return shown.start(total, done, payload);
      shown.setTotal(total);
      shown.update(done, payload);
    },
    note(...texts) {
      shown.stop();
      say(...texts);
      if (last !== undefined) shown.start(last[1], last[0], last[2]);
    },
    [Symbol.dispose]: () => shown.stop(),
  };
}

function lines(what: string, noun: string, say: Say): Progress {
  let last = '';
  return {
    update(done, of, phase) {
      const tenth = of === 0 ? 0 : Math.floor((done * 10) / of);
      const now = `${phase ?? ''} ${tenth}`;
      // Print a line only if the phase has changed or another tenth is finished. Before the first tenth is finished,
      // print a line only if it names a phase.
      if (now === last || (phase === undefined && tenth === 0)) return;
      last = now;
      say(`${what}${phase === undefined ? '' : ` ${phase}`}${of === 0 ? '' : `: ${done} of ${of} ${noun}`}`);
    },
    note: say,
    [Symbol.dispose]: () => undefined,
  };
}
