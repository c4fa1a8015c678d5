import { giveBack } from '../../etl/give-back';
import type { AllocationColumns } from '../../query/columns';

/** Gives the memory of columns back that nobody reads any more. */
export function freeColumns({
  numbers,
  hashes,
  identities,
  identityRows,
  identityEnds,
}: AllocationColumns): void {
  for (const array of [numbers, hashes, identities, identityRows, identityEnds]) giveBack(array);
}

/**
 * How a thread that makes things waits for whoever takes them, without turns of its event loop: a number of turns that
 * both see. Shared memory; the second number says that nobody takes anything any more.
 */
export function makeTurns(most: number): Int32Array {
  const turns = new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT));
  turns[0] = most;
  return turns;
}

/** Blocks the thread until it may send one more; throws when nobody waits for it. */
export function awaitTurn(turns: Int32Array): void {
  while (Atomics.load(turns, 1) === 0) {
    if (Atomics.load(turns, 0) > 0) {
      Atomics.sub(turns, 0, 1);
      return;
    }
    Atomics.wait(turns, 0, 0);
  }
  throw new Error('Nobody waits for the rest.');
}

/** Says that one was taken. */
export function giveTurn(turns: Int32Array): void {
  Atomics.add(turns, 0, 1);
  Atomics.notify(turns, 0);
}

/** Says that nothing is taken any more. */
export function endTurns(turns: Int32Array): void {
  Atomics.store(turns, 1, 1);
  giveTurn(turns);
}
