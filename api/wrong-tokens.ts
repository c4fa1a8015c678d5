import { setTimeout } from 'node:timers/promises';
import { addressOf } from './address';

/** How many wrong tokens in a row are answered at once. */
const atOnce = 5;
const secondsPerToken = 1;
const mostSeconds = 30;
const mostAddresses = 10_000;
const mostWaiting = 1_000;

/** Waits without keeping the process alive. */
export function slowly(milliseconds: number): Promise<void> {
  return setTimeout(milliseconds, undefined, { ref: false });
}

export interface WrongTokensOptions {
  /** Returns the current time in Unix seconds. */
  now(this: void): number;
  wait(this: void, milliseconds: number): Promise<unknown>;
  /** Called once when the answers to an address begin to be delayed. */
  delayed(this: void, address: string): void;
}

/**
 * Delays the answers to wrong tokens, so that one address cannot guess tokens quickly. Each wrong token costs its
 * address one second, and the first five are free. Requests with a right token are never delayed. Memory is bounded: if
 * too many addresses guess, the ones silent for longest are forgotten; if too many answers wait, further ones are sent
 * at once.
 */
export class WrongTokens {
  /** State of each address. `paidAt` is when the time for its wrong tokens will have passed, in Unix seconds. */
  private readonly addresses = new Map<string, { readonly paidAt: number; readonly isReported: boolean }>();
  private waiting = 0;

  constructor(private readonly options: WrongTokensOptions) {}

  /** How many addresses are remembered. */
  get size(): number {
    return this.addresses.size;
  }

  /** Call this before a wrong token is answered. Resolves when the answer may be sent. */
  async slowDown(ip: string): Promise<void> {
    const now = this.options.now();
    const address = addressOf(ip);
    const known = this.addresses.get(address);
    const before = known !== undefined && known.paidAt > now ? known : { paidAt: now, isReported: false };
    const free = now + atOnce * secondsPerToken;
    const paidAt = Math.min(before.paidAt + secondsPerToken, free + mostSeconds);
    const isDelayed = paidAt > free;
    this.addresses.delete(address);
    this.forget(now);
    this.addresses.set(address, { paidAt, isReported: before.isReported || isDelayed });
    if (!isDelayed) return;
    if (!before.isReported) this.options.delayed(address);
    if (this.waiting >= mostWaiting) return;
    this.waiting += 1;
    await this.options.wait((paidAt - free) * 1_000).finally(() => (this.waiting -= 1));
  }

  /** Forgets addresses whose time has passed and, if there are too many, others. The one silent longest is first. */
  private forget(now: number): void {
    for (const [address, { paidAt }] of this.addresses) {
      if (paidAt > now && this.addresses.size < mostAddresses) return;
      this.addresses.delete(address);
    }
  }
}
