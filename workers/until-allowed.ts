import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../config/log';
import { type FederationError, isFederationError } from '../errors/federation-error';
import { sentence } from '../errors/hints';

export interface Patience {
  readonly log: Log;
  readonly stop: AbortSignal;
  /** Called after each attempt that the volume has refused. */
  readonly refused: (error: FederationError) => void;
  /** Time between two attempts, in milliseconds. */
  readonly everyMs?: number;
}

/**
 * Calls `open`, which opens the volume of the local ETL. If the volume is full, read-only or not permitted, tries again
 * every few seconds, because a person can mend that without a restart. Throws the refusal if `stop` is aborted in the
 * meantime.
 */
export async function untilAllowed<Opened>(
  open: () => Promise<Opened>,
  { log, stop, refused, everyMs = 5_000 }: Patience,
): Promise<Opened> {
  for (let logged: string | undefined; ;) {
    try {
      return await open();
    } catch (error) {
      if (stop.aborted || !isFederationError(error, 'LOCAL_ETL_REFUSED')) throw error;
      refused(error);
      const { code, subject, detail, hint } = error;
      if (detail !== logged)
        log.error(
          { event: 'volume.refused', code, ...subject, hint },
          `The volume of the local ETL cannot be used yet: ${sentence(detail)} ${hint}`,
        );
      logged = detail;
      await sleep(everyMs, undefined, { signal: stop }).catch(() => undefined);
      if (stop.aborted) throw error;
    }
  }
}
