import fastify from 'fastify';
import type { Registry } from 'prom-client';
import { listenOn, type RunningServer } from '../api/listen';
import type { Settings } from '../config/settings';
import { visibleMetrics, visibleText } from '../etl/visible-text';
import type { Condition, RoleName } from '../federation/conditions';
import { Conditions } from './conditions';

/**
 * Keeps the state and the conditions of each role of a process. A state is `ready`, or a phrase that says what the role
 * is waiting for.
 */
export class Readiness {
  readonly conditions: Conditions;
  private readonly states: Map<RoleName, string>;
  private reach: () => Promise<string | undefined> = () => Promise.resolve(undefined);
  private unserved: (() => string | undefined) | undefined;
  private reached: { readonly at: number; readonly answer: Promise<string | undefined> } | undefined;

  constructor(roles: Settings['roles']) {
    const own = (Object.keys(roles) as RoleName[]).filter((role) => roles[role]);
    this.states = new Map(own.map((role) => [role, 'has just been started']));
    this.conditions = new Conditions(own);
  }

  /** Sets all roles to the same state, for example `is stopping`. */
  all(state: string): void {
    for (const role of this.states.keys()) this.states.set(role, state);
  }

  /**
   * Sets the state of all roles that are still starting, such as `waits for Temporal`. Skips a primary whose API is
   * already open.
   */
  starting(state: string): void {
    for (const role of this.states.keys())
      if (role !== 'primaryCluster' || this.unserved === undefined) this.states.set(role, state);
  }

  /**
   * Call this when the primary's API is open. From then on, the state of the primary role depends only on `unserved`,
   * which returns why the primary cannot answer queries, or undefined if it can.
   */
  serving(unserved: () => string | undefined): void {
    this.unserved = unserved;
    this.states.set('primaryCluster', ready);
  }

  /**
   * Sets all roles to ready. From then on, `reach` returns why the federator and Federated Cluster roles cannot work at
   * the moment, or undefined if they can.
   */
  onceReady(reach: () => Promise<string | undefined>): void {
    this.reach = reach;
    this.all(ready);
  }

  /**
   * Returns the state of every role, or only of the role `asked`. A primary is ready when it can answer queries, and
   * stays ready whatever its conditions are. Other roles are ready when all of their conditions hold or are unknown.
   */
  async read(asked?: string): Promise<ReadonlyMap<RoleName, string>> {
    const own = [...this.states].filter(([role]) => asked === undefined || role === asked);
    const read = own.map(async ([role, state]) => {
      if (state !== ready) return [role, state] as const;
      const kept =
        role === 'primaryCluster' ? this.unserved?.() : ((await this.recentReach()) ?? this.unwell(role));
      return [role, kept ?? ready] as const;
    });
    return new Map(await Promise.all(read));
  }

  /** Returns the first condition of a role that does not hold, with its reason, or undefined if there is none. */
  private unwell(role: RoleName): string | undefined {
    const broken = this.conditions.current(role).find(({ holds }) => holds === 'no');
    return broken && `${broken.name}: ${broken.reason ?? ''}`;
  }

  get roles(): RoleName[] {
    return [...this.states.keys()];
  }

  /**
   * Returns the result of `reach`, cached for two seconds: the health endpoint is open to everyone, so it may be called
   * very often.
   */
  private recentReach(): Promise<string | undefined> {
    if (this.reached === undefined || Date.now() - this.reached.at > reachEveryMs)
      this.reached = { at: Date.now(), answer: this.reach() };
    return this.reached.answer;
  }
}

const reachEveryMs = 2_000;
/** State of a role that works normally. */
export const ready = 'ready';

/**
 * Serves three HTTP endpoints:
 * - `/healthz` returns 200 as long as the process responds.
 * - `/readyz` returns 200 if every role is ready, otherwise 503. The body has one line for the state of each role, and
 *   one line for each condition. `/readyz?role=primaryCluster` checks a single role.
 * - `/metrics` returns the metrics of the registry, then those that `further` returns in the same format.
 *
 * The endpoints require no token, and reveal no costs. Throws SETTINGS_INVALID if the server cannot listen at the
 * address.
 */
export async function startHealth(
  listen: string,
  readiness: Readiness,
  metrics: Registry,
  further: () => Promise<string> = async () => '',
): Promise<RunningServer> {
  const app = fastify({ forceCloseConnections: 'idle', routerOptions: { ignoreTrailingSlash: true } });
  app.get('/healthz', (_, reply) => reply.type('text/plain').send('alive\n'));
  app.get<{ Querystring: { role?: string } }>('/readyz', async ({ query }, reply) => {
    const states = await readiness.read(query.role);
    const code = states.size === 0 ? 404 : [...states.values()].every((state) => state === ready) ? 200 : 503;
    const lines = [
      ...[...states].map(([role, state]) => `${role}: ${state}`),
      ...readiness.conditions.current(query.role).map((one) => `${one.role}.${one.name}: ${describe(one)}`),
    ];
    return reply
      .code(code)
      .type('text/plain')
      .send(
        code === 404
          ? 'this process has no such role\n'
          : lines.map((line) => `${visibleText(line)}\n`).join(''),
      );
  });
  app.get('/metrics', async (_, reply) => {
    const texts = await Promise.all([metrics.metrics(), further()]);
    return reply.type(metrics.contentType).send(visibleMetrics(texts.join('')));
  });
  return listenOn(app, listen, 'health.listen');
}

function describe({ holds, reason }: Condition): string {
  if (holds === 'yes') return reason === undefined ? 'ok' : `ok (${reason})`;
  return holds === 'no' ? (reason ?? 'does not hold') : 'unknown';
}
