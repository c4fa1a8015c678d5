import fastify from 'fastify';
import type { Registry } from 'prom-client';
import { listenOn, type RunningServer } from '../api/listen';
import type { Settings } from '../config/settings';

/** The roles of a process, as the settings name them. */
export type RoleName = 'federatedCluster' | 'federator' | 'primaryCluster';

/** How the roles of a process are: `ready`, or in words what keeps them from it. */
export class Readiness {
  private readonly states: Map<RoleName, string>;
  private reach: () => Promise<string | undefined> = () => Promise.resolve(undefined);
  private unserved: () => string | undefined = () => undefined;
  private reached: { readonly at: number; readonly answer: Promise<string | undefined> } | undefined;

  constructor(roles: Settings['roles']) {
    const own = (Object.keys(roles) as RoleName[]).filter((role) => roles[role]);
    this.states = new Map(own.map((role) => [role, 'has just been started']));
  }

  /** Says how all roles are, such as `waits for the bucket`. */
  all(state: string): void {
    for (const role of this.states.keys()) this.states.set(role, state);
  }

  /**
   * What is asked for, once the roles are ready: what keeps them from their work at the moment, and why a primary can
   * answer no query, if anything does.
   */
  onceReady(reach: () => Promise<string | undefined>, unserved: () => string | undefined): void {
    this.reach = reach;
    this.unserved = unserved;
    this.all(ready);
  }

  /**
   * How the roles are, or the one that is asked for. A primary is ready once it can answer queries, and then also while
   * Temporal or the store cannot be reached.
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

  /** Anybody may ask, and often. */
  private recentReach(): Promise<string | undefined> {
    if (this.reached === undefined || Date.now() - this.reached.at > reachEveryMs)
      this.reached = { at: Date.now(), answer: this.reach() };
    return this.reached.answer;
  }
}

const reachEveryMs = 2_000;
/** How a role is that does its work. */
export const ready = 'ready';

/**
 * Serves `/healthz`, 200 as long as the process can answer at all; `/readyz`, 200 once every role of the process does its
 * work, else 503 and what keeps them from it, and `/readyz?role=primaryCluster` the same of one role; and `/metrics`.
 * None of them needs a token, and none tells of costs. Throws SETTINGS_INVALID when it cannot listen there.
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
