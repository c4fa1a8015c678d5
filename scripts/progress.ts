import { Presets, SingleBar } from 'cli-progress';

/** A progress display for long work. Declare it with `using`, so that a progress bar is removed at the end. */
export interface Progress extends Disposable {
  /** Shows how much of the work is done. `phase` is the current part of the work, if it has parts. */
  update(this: void, done: number, of: number, phase?: string): void;
  /** Prints a separate line, above the bar if there is one. */
  note(this: void, line: string): void;
}

export interface ProgressOptions {
  /** What the work consists of, as a plural noun. (Default: windows) */
  readonly noun?: string;
  /** Prints a line of progress. Only called if there is no terminal. (Default: prints to standard error) */
  readonly say?: (line: string) => void;
  /** The stream to write to. (Default: standard error) */
  readonly stream?: NodeJS.WriteStream;
}

/**
 * Shows progress as a bar on standard error if that is a terminal, otherwise as one line per phase and per tenth of the
 * work. Shows nothing before the first update.
 */
export function showProgress(what: string, options: ProgressOptions = {}): Progress {
  const { noun = 'windows', stream = process.stderr } = options;
  const say = options.say ?? ((line: string) => void stream.write(`${line}\n`));
  return stream.isTTY ? bar(what, noun, stream, say) : lines(what, noun, say);
}

type Say = (line: string) => void;

function bar(what: string, noun: string, stream: NodeJS.WriteStream, say: Say): Progress {
  const shown = new SingleBar(
    {
      format: `${what} {phase}{bar} {value}/{total} ${noun}`,
      clearOnComplete: true,
      hideCursor: true,
      stream,
    },
    Presets.shades_classic,
  );
  let last: [done: number, total: number, payload: { phase: string }] | undefined;
  return {
    update(done, of, phase) {
      // A bar with a total of 0 would look full, so the total is at least 1.
      last = [done, Math.max(of, 1), { phase: phase === undefined ? '' : `${phase} ` }];
      const [, total, payload] = last;
      if (!shown.isActive) return shown.start(total, done, payload);
      shown.setTotal(total);
      shown.update(done, payload);
    },
    note(line) {
      shown.stop();
      say(line);
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
      // Before a tenth of the work is done, a line is only worth printing if it names a phase.
      if (now === last || (phase === undefined && tenth === 0)) return;
      last = now;
      say(`${what}${phase === undefined ? '' : ` ${phase}`}${of === 0 ? '' : `: ${done} of ${of} ${noun}`}`);
    },
    note: say,
    [Symbol.dispose]: () => undefined,
  };
}
