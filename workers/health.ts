import fastify from 'fastify';
import type { Registry } from 'prom-client';
import { listenOn, type RunningServer } from '../api/listen';
import type { Settings } from '../config/settings';

/** A role of a process, as named in the settings. */
export type RoleName = 'federatedCluster' | 'federator' | 'primaryCluster';

/** Keeps the state of each role of a process: `ready`, or a phrase that says what the role is waiting for. */
export class Readiness {
  private readonly states: Map<RoleName, string>;
  private reach: () => Promise<string | undefined> = () => Promise.resolve(undefined);
  private unserved: () => string | undefined = () => undefined;
  private reached: { readonly at: number; readonly answer: Promise<string | undefined> } | undefined;

  constructor(roles: Settings['roles']) {
    const own = (Object.keys(roles) as RoleName[]).filter((role) => roles[role]);
    this.states = new Map(own.map((role) => [role, 'has just been started']));
  }

  /** Gives all roles the same state, such as `waits for the bucket`. */
  all(state: string): void {
    for (const role of this.states.keys()) this.states.set(role, state);
  }

  /**
   * Marks all roles as ready. From then on, the state of a primary comes from `unserved`, which returns why it cannot
   * answer queries. The state of the other roles comes from `reach`, which returns what currently keeps them from
   * working. Both functions return undefined if nothing is wrong.
   */
  onceReady(reach: () => Promise<string | undefined>, unserved: () => string | undefined): void {
    this.reach = reach;
    this.unserved = unserved;
    this.all(ready);
  }

  /**
   * Returns the state of all roles, or only of the role `asked`. A primary is ready once it can answer queries, and
   * stays ready while Temporal or the store cannot be reached.
   */
  async read(asked?: string): Promise<ReadonlyMap<RoleName, string>> {
    const own = [...this.states].filter(([role]) => asked === undefined || role === asked);
    const read = own.map(async ([role, state]) => {
      if (state !== ready) return [role, state] as const;
      const kept = role === 'primaryCluster' ? this.unserved() : await this.recentReach();
      return [role, kept ?? ready] as const;
    });
    return new Map(await Promise.all(read));
  }

  get roles(): RoleName[] {
    return [...this.states.keys()];
  }

  /** Returns the answer of `reach`. It is cached for a short time, since anyone may request it, and often. */
  private recentReach(): Promise<string | undefined> {
    if (this.reached === undefined || Date.now() - this.reached.at > reachEveryMs)
      this.reached = { at: Date.now(), answer: this.reach() };
    return this.reached.answer;
  }
}

const reachEveryMs = 2_000;
/** State of a role that is working. */
export const ready = 'ready';

/**
 * Serves three endpoints. `/healthz` returns 200 as long as the process responds. `/readyz` returns 200 if every role
 * is working, otherwise 503 with the reasons; `/readyz?role=primaryCluster` checks a single role. `/metrics` returns
 * the metrics. None of them needs a token, and none reveals costs. Throws SETTINGS_INVALID if the server cannot listen
 * at the address.
 */
export async function startHealth(
  listen: string,
  readiness: Readiness,
  metrics: Registry,
): Promise<RunningServer> {
  const app = fastify({ forceCloseConnections: 'idle', routerOptions: { ignoreTrailingSlash: true } });
  app.get('/healthz', (_, reply) => reply.type('text/plain').send('alive\n'));
  app.get<{ Querystring: { role?: string } }>('/readyz', async ({ query }, reply) => {
    const states = await readiness.read(query.role);
    const code = states.size === 0 ? 404 : [...states.values()].every((state) => state === ready) ? 200 : 503;
    const lines = [...states].map(([role, state]) => `${role}: ${state}\n`);
    return reply
      .code(code)
      .type('text/plain')
      .send(code === 404 ? 'this process has no such role\n' : lines.join(''));
  });
  app.get('/metrics', async (_, reply) => reply.type(metrics.contentType).send(await metrics.metrics()));
  return listenOn(app, listen, 'health.listen');
}
