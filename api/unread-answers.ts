import type { ServerResponse } from 'node:http';
import { FederationError } from '../errors/federation-error';
import { bytesPerMegabyte } from '../query/statements';

/**
 * Counts the bytes of the answers that clients have not read yet. An answer stays in memory until it is read, so a
 * client that asks for much but reads slowly would otherwise fill the memory.
 */
export class UnreadAnswers {
  private readonly bytes = new Map<string, number>();

  /** Counts an answer until it is sent or its client is gone. */
  count(client: string, size: number, response: Pick<ServerResponse, 'once' | 'closed'>): void {
    if (response.closed) return;
    this.change(client, size);
    response.once('close', () => this.change(client, -size));
  }

  /** Throws QUERY_BUSY if a client has to read its answers before it gets more. */
  check(client: string, megabytes: number): void {
    if ((this.bytes.get(client) ?? 0) <= megabytes * bytesPerMegabyte) return;
    throw new FederationError('QUERY_BUSY', {
      detail: `This client has more than ${megabytes} MB (api.limits.megabytes) of answers that it has not read yet.`,
      hint: 'Read the answers, or ask for less at once.',
      retryAfterMs: 1_000,
    });
  }

  private change(client: string, size: number): void {
    const now = (this.bytes.get(client) ?? 0) + size;
    if (now > 0) this.bytes.set(client, now);
    else this.bytes.delete(client);
  }
}
