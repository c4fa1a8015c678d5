import type { ServerResponse } from 'node:http';
import { FederationError } from '../errors/federation-error';
import { bytesPerMegabyte } from '../query/statements';

/**
 * Counts the bytes of the answers that clients have not read yet. An answer stays in memory until it is read, so a
 * client that asks for much but reads slowly would otherwise fill the memory. Responses with the same answer share its
 * bytes, which therefore count once for each client.
 */
export class UnreadAnswers {
  /** The answers that each client has not read yet, and in how many responses each of them is sent. */
  private readonly unread = new Map<string, Map<Uint8Array, number>>();

  /** Counts an answer until it is sent or its client is gone. */
  count(client: string, body: Uint8Array, response: Pick<ServerResponse, 'once' | 'closed'>): void {
    if (response.closed) return;
    const bodies = this.unread.get(client) ?? new Map<Uint8Array, number>();
    this.unread.set(client, bodies.set(body, (bodies.get(body) ?? 0) + 1));
    response.once('close', () => {
      const others = (bodies.get(body) ?? 0) - 1;
      if (others > 0) bodies.set(body, others);
      else bodies.delete(body);
      if (bodies.size === 0 && this.unread.get(client) === bodies) this.unread.delete(client);
    });
  }

  /** Throws QUERY_BUSY if a client has to read its answers before it gets more. */
  check(client: string, megabytes: number): void {
    let bytes = 0;
    for (const body of this.unread.get(client)?.keys() ?? []) bytes += body.length;
    if (bytes <= megabytes * bytesPerMegabyte) return;
    throw new FederationError('QUERY_BUSY', {
      detail: `This client has more than ${megabytes} MB (api.limits.megabytes) of answers that it has not read yet.`,
      hint: 'Read the answers, or ask for less at once.',
      retryAfterMs: 1_000,
    });
  }
}
