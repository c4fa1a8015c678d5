import type { FastifyInstance } from 'fastify';
import { Registry } from 'prom-client';
import type { Federation } from '../../api/contract';
import type { ServerOptions } from '../../api/options';
import { buildServer } from '../../api/server';
import { silentLog } from '../../config/log';
import { defaultAliases } from '../../query/aliases';
import type { Answers } from '../../query/answers';
import { goldenEngine } from '../query/engine-over';

/** Current time in the tests: 2026-11-17T06:00:00Z, six hours after the last golden window ends. */
export const now = 1_794_895_200;
/** The query parameter `window` for all golden files, which cover these three days. */
export const window = '2026-11-14T00:00:00Z,2026-11-17T00:00:00Z';
export const token = 'sesame';

/** `inTurn` of a fake query engine: every client may query at once, without limits. */
export const atOnce: Answers['inTurn'] = (asker, work) =>
  work({ signal: new AbortController().signal, megabytes: 1_000, ...asker });

/**
 * Makes a server that answers queries from `answers`. It does not listen on an address: tests send requests with
 * `inject`.
 */
export function serverOver(answers: Answers, options: Partial<ServerOptions> = {}): Promise<FastifyInstance> {
  return buildServer({
    listen: '127.0.0.1:0',
    answers,
    currency: 'EUR',
    aliases: defaultAliases,
    utcOffsetSeconds: 0,
    assetsFlavour: 'kubecost',
    openRead: false,
    metrics: new Registry(),
    log: silentLog,
    revision: () => answers.state().ingestedAt ?? '',
    now: () => now,
    ...options,
  });
}

/**
 * Makes a server that serves the golden files. All tests of a test file share it: it starts before the first test and
 * is closed after the last one.
 */
export function useGoldenServer() {
  const golden = {} as { engine: Awaited<ReturnType<typeof goldenEngine>>; app: FastifyInstance };
  beforeAll(async () => {
    golden.engine = await goldenEngine();
    golden.app = await serverOver(golden.engine);
  });
  afterAll(async () => {
    await golden.app?.close();
    golden.engine?.dispose();
  });
  return golden;
}

export interface Asked {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  /** The member `data` of a successful answer. */
  // The type is `any`, because the tests themselves check the content.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly data: any;
  readonly message?: string;
  readonly warning?: string;
}

/** Sends a GET request and parses the answer. */
export async function ask(
  app: FastifyInstance,
  path: string,
  parameters: Record<string, string> = {},
  headers: Record<string, string> = {},
): Promise<Asked> {
  const response = await app.inject({ method: 'GET', url: path, query: parameters, headers });
  const isJson = String(response.headers['content-type']).includes('application/json');
  const { data, message, warning } = (isJson ? JSON.parse(response.body) : {}) as Partial<Asked>;
  return {
    status: response.statusCode,
    headers: response.headers,
    text: response.body,
    data,
    message,
    warning,
  };
}

/** Makes a fake federation. It performs no actions, but records the requested actions in `asked`. */
export function rememberingFederation(): Federation & { readonly asked: string[] } {
  const asked: string[] = [];
  const say = async (text: string) => {
    asked.push(text);
    return { message: `${text}.` };
  };
  return {
    asked,
    status: async () => ({
      clusters: [
        { cluster: 'cluster-1', membership: 'in', lastPush: '2026-11-17T05:00:00Z' },
        { cluster: 'cluster-6', membership: 'excluded', reason: 'odd prices' },
      ],
      temporalUi: 'http://127.0.0.1:8233/namespaces/default/workflows',
      hold: { generation: 1, by: 'ann@host', reason: 'wrong', at: '2026-11-17T06:00:00Z' },
      notes: ['A note.'],
      skew: [],
      schedule: { everyMs: 3_600_000, paused: { note: 'until Monday' } },
      conditions: [
        {
          cluster: 'cluster-1',
          role: 'federatedCluster',
          name: 'disk',
          reason: "The volume of '/var/lib/etl' is full.",
          since: '2026-11-17T04:00:00Z',
        },
      ],
      toDo: ['The schedule is paused: until Monday.', '/var/lib/etl/bingen is a link.'],
      missing: [],
    }),
    federations: async () => [],
    generations: async () => [],
    diff: async (from, to) => ({ from, to, joined: [], left: [], totals: [], changes: [], omitted: 0 }),
    exclude: (cluster, reason) => say(`exclude ${cluster} ${reason}`),
    include: (cluster) => say(`include ${cluster}`),
    federate: (why) => say(`federate ${why}`),
    replay: (run) => say(`replay ${run}`),
  };
}
