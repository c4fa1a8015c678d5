import { SingleBar } from 'cli-progress';
import { print } from './output';

export interface IngestProgress {
  /** How many windows are done, of how many. */
  tell(this: void, done: number, of: number): void;
  stop(): void;
}

/** A line each so many windows where no person looks. */
const linesApart = 50;

/** Shows how far an ingest is: a bar at a terminal, a line now and then elsewhere. */
export function ingestProgress(): IngestProgress {
  if (!process.stderr.isTTY) {
    return {
      tell: (done, of) => {
        if (done > 0 && done % linesApart === 0) print(`ingested ${done} of ${of} windows`);
      },
      stop: () => undefined,
    };
  }
  const bar = new SingleBar({
    format: 'Ingesting {bar} {value} of {total} windows',
    clearOnComplete: true,
    stopOnComplete: true,
  });
  let shown = false;
  return {
    tell: (done, of) => {
      if (!shown) bar.start(of, done);
      shown = true;
      bar.update(done);
    },
    stop: () => {
      if (shown) bar.stop();
      shown = false;
    },
  };
}
