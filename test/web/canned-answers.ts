import type {
  ClusterView,
  FederationView,
  GenerationDiff,
  GenerationView,
  StatusView,
} from '../../api/contract';

/** What the fake server answers in page tests. Tests change these settings between requests. */
export interface Canned {
  /** Number of rows in answers about pods. */
  rows: number;
  /** Whether the server behaves as if it had never ingested any data. */
  empty: boolean;
  /** Whether the server requires the operator token for reading. Actions always require it. */
  locked: boolean;
  /**
   * The error that the server returns for queries to `path` (below `/model/`), or for all queries if `path` is
   * undefined.
   */
  error?: { readonly path?: string; readonly status: number; readonly message: string };
  /** Warnings in answers, keyed by the path of the request. */
  warnings: Readonly<Record<string, string>>;
  /**
   * Generations for the next answers about allocations, one per answer. When the list is used up, all further answers
   * have the newest generation.
   */
  generations: number[];
  ingesting?: StatusView['served']['ingesting'];
  refused?: StatusView['served']['refused'];
  hold?: StatusView['hold'];
  notes?: StatusView['notes'];
  schedule?: StatusView['schedule'];
  conditions?: StatusView['conditions'];
  toDo?: StatusView['toDo'];
}

export const token = 'canned-operator-token';
export const now = Date.parse('2026-11-21T07:00:00Z');

const day = 86_400_000;
const time = (moment: number) => `${new Date(moment).toISOString().slice(0, 19)}Z`;
const clusters = ['eu-production', 'us-production', 'staging', 'research', 'edge-01'];
const namespaces = ['checkout', 'kube-system', 'monitoring', 'payments', 'search', '__unallocated__'];

/** The clusters that have gone silent or are not expected to push. */
const silences: Readonly<Record<string, 'gone' | 'not-expected'>> = {
  'edge-01': 'gone',
  research: 'not-expected',
};

/** The newest generation. It is the one that the server has ingested. */
export const newest = 12;

/** Makes the status of a primary with five clusters. One cluster is excluded. Another has not had new data for days. */
export function status(canned: Canned): StatusView {
  return {
    kind: 'primary',
    cluster: 'eu-production',
    currency: 'USD',
    served: {
      ...(!canned.empty && { generation: newest, committedAt: time(now - 200_000) }),
      empty: canned.empty,
      ...(canned.ingesting !== undefined && { ingesting: canned.ingesting }),
      ...(canned.refused !== undefined && { refused: canned.refused }),
    },
    clusters: clusters.map((cluster, at): ClusterView => ({
      cluster,
      membership: cluster === 'research' ? 'excluded' : 'in',
      ...(cluster === 'research' && { reason: 'moved to another account' }),
      lastPush: time(now - (at + 1) * 240_000 - (silences[cluster] === undefined ? 0 : 3 * day)),
      silence: { usualMs: 3_600_000, state: silences[cluster] ?? 'on-time' },
      inventory: { program: '0.1.0', codecs: { allocations: 25, assets: 21 } },
      firstData: time(now - 30 * day),
      lastData: time(cluster === 'edge-01' ? now - 4 * day : now),
      allocations: 1_000 * (at + 1),
      windows: [
        { pipeline: 'allocations', resolution: '1d', held: 30, missing: cluster === 'edge-01' ? 4 : 0 },
        { pipeline: 'allocations', resolution: '1h', held: 48, missing: 0 },
      ],
    })),
    ...(canned.hold !== undefined && { hold: canned.hold }),
    notes: canned.notes ?? [],
    skew: [],
    canAct: true,
    temporalUi: 'http://temporal.example/namespaces/default',
    ...(canned.schedule !== undefined && { schedule: canned.schedule }),
    conditions: canned.conditions ?? [],
    toDo: canned.toDo ?? [],
    missing: [],
  };
}

interface Cost {
  readonly name: string;
  readonly cpu: number;
}

/** Makes the rows of an answer that is grouped by `aggregate`. Each row has a different CPU cost. */
function costs(aggregate: string, idle: boolean, rows: number): Cost[] {
  const names =
    aggregate === 'cluster'
      ? clusters
      : /(^|,)namespace$/.test(aggregate)
        ? namespaces.map((name) => (aggregate === 'namespace' ? name : `eu-production/${name}`))
        : Array.from({ length: rows }, (_, at) => `${aggregate}-${String(at).padStart(5, '0')}`);
  const plain = names.map((name, at) => ({ name, cpu: 100 + ((at * 7_919) % 10_007) / 10 }));
  return idle ? [...plain, { name: '__idle__', cpu: 321.5 }] : plain;
}

function allocation({ name, cpu }: Cost, window: { start: string; end: string }, share: number): object {
  const values = {
    cpuCost: cpu * share,
    cpuCostAdjustment: 1 * share,
    ramCost: 20 * share,
    ramCostAdjustment: 0,
    gpuCost: 0,
    gpuCostAdjustment: 0,
    pvCost: 3 * share,
    pvCostAdjustment: 0,
    networkCost: 2 * share,
    networkCostAdjustment: 0,
    loadBalancerCost: 4 * share,
    loadBalancerCostAdjustment: 0,
    sharedCost: 0,
    externalCost: 0,
  };
  const totalCost = Object.values(values).reduce((sum, value) => sum + value, 0);
  return {
    name,
    properties: {},
    window,
    ...window,
    minutes: (Date.parse(window.end) - Date.parse(window.start)) / 60_000,
    ...values,
    totalCost,
    totalEfficiency: name === '__idle__' ? 0 : 0.42,
  };
}

const windowDays = 7;
const windowEnd = Math.ceil(now / day) * day;
const whole = { start: time(windowEnd - windowDays * day), end: time(windowEnd) };

/** Makes the answer to an allocation query that accumulates the whole window. Such an answer has a single set. */
export function allocationSet(parameters: URLSearchParams, { rows }: Canned): object {
  const all = costs(parameters.get('aggregate') ?? '', parameters.get('idle') !== 'false', rows);
  return Object.fromEntries(all.map((cost) => [cost.name, allocation(cost, whole, 1)]));
}

/**
 * Makes the answer to a summary query, with one set per day. All sets together have the same costs as `allocationSet`.
 */
export function summary(parameters: URLSearchParams, { rows }: Canned): object {
  const all = costs(parameters.get('aggregate') ?? '', parameters.get('idle') !== 'false', rows);
  const limited = all.slice(0, Number(parameters.get('limit') ?? all.length));
  return {
    step: 86_400_000_000_000,
    window: whole,
    sets: Array.from({ length: windowDays }, (_, at) => {
      const start = windowEnd - (windowDays - at) * day;
      const window = { start: time(start), end: time(start + day) };
      return {
        window,
        allocations: Object.fromEntries(
          limited.map((cost) => [cost.name, allocation(cost, window, 1 / windowDays)]),
        ),
      };
    }),
  };
}

/** Makes the answer to an asset query that accumulates the whole window. Such an answer has a single set. */
export function assetSet(parameters: URLSearchParams): object {
  const byType = ['Node', 'Disk', 'LoadBalancer', 'Network', 'ClusterManagement'];
  const keys =
    parameters.get('aggregate') === 'type' ? byType : Array.from({ length: 40 }, (_, at) => `node-${at}`);
  return Object.fromEntries(
    keys.map((key, at) => [
      key,
      {
        type: parameters.get('aggregate') === 'type' ? key : 'Node',
        properties: { cluster: clusters[at % clusters.length], provider: 'GCP' },
        labels: {},
        window: whole,
        ...whole,
        minutes: windowDays * 1_440,
        adjustment: -1.5,
        totalCost: 900 / (at + 1),
      },
    ]),
  );
}

/** Returns suggestions for the autocompletion of a field's value or of a label's key. */
export function completions(parameters: URLSearchParams): object {
  const field = parameters.get('field') ?? '';
  const values: Readonly<Record<string, readonly string[]>> = {
    cluster: clusters,
    namespace: namespaces,
    label: ['app', 'team'],
  };
  return { data: values[field] ?? ['one', 'two'] };
}

/** Makes the list of federation runs. Each possible outcome occurs once. */
export function federations(): { federations: FederationView[] } {
  const run = (
    at: number,
    more: Pick<FederationView, 'outcome'> & Partial<FederationView>,
  ): FederationView => ({
    run: `acme-federation-2026-11-21T0${7 - at}:00:00Z`,
    trigger: 'schedule',
    startedAt: time(now - at * 3_600_000 - 120_000),
    ...(more.outcome !== 'running' && { endedAt: time(now - at * 3_600_000 - 95_000) }),
    clusters: 4,
    windows: { all: 156, planned: 12, merged: 12, reused: 144, removed: 0 },
    quarantined: 0,
    link: `http://temporal.example/namespaces/default/workflows/acme-federation-${at}`,
    ...more,
  });
  return {
    federations: [
      run(0, { outcome: 'running' }),
      run(1, { outcome: 'complete', generation: 12 }),
      run(2, { outcome: 'partial', generation: 11, quarantined: 3, excluded: ['research'] }),
      run(3, {
        outcome: 'failed',
        error: { code: 'STORAGE_UNAVAILABLE', message: 'The bucket did not answer.', hint: 'Replay it.' },
      }),
    ],
  };
}

/**
 * Makes the list of the three latest generations. The second one has a quarantined source, and the third one results
 * from a person's decision. If the federation is on hold, the first one, which is the newest, is the rollback that put
 * it on hold.
 */
export function generations({ hold }: Canned): { generations: GenerationView[] } {
  return {
    generations: [12, 11, 10].map((generation, at) => ({
      generation,
      committedAt: time(now - at * 3_600_000 - 100_000),
      run: `acme-federation-2026-11-21T0${6 - at}:00:00Z`,
      clusters: 4,
      windows: 156 - at,
      bytes: 48_000_000 - at * 1_000_000,
      ...(generation === 12 &&
        hold !== undefined && {
          hold,
          replaces: 11,
          decision: { ...hold, what: `roll back to generation ${hold.generation}` },
        }),
      ...(generation === 10 && {
        decision: { what: 'remove old-1', by: 'kim@host', reason: 'sold', at: time(now - 3 * 3_600_000) },
      }),
      quarantined:
        generation === 11
          ? [
              {
                cluster: 'edge-01',
                window: 'allocations/1d/1794614400-1794700800',
                code: 'ETL_FILE_INVALID',
                detail: 'It ends in the middle of a record.',
                state: 'kept',
              },
            ]
          : [],
      accepted: [],
    })),
  };
}

/** Makes the comparison of two generations. They differ in three windows, one of which cannot be read. */
export function difference(parameters: URLSearchParams): GenerationDiff {
  return {
    from: Number(parameters.get('from')),
    to: Number(parameters.get('to')),
    joined: ['edge-01'],
    left: [],
    totals: [
      { pipeline: 'allocations', resolution: '1d', before: 120.5, after: 131.25 },
      { pipeline: 'allocations', resolution: '1d', cluster: 'staging', before: 120.5, after: 131.25 },
      { pipeline: 'assets', resolution: '1d', before: 0, after: 17.75 },
      { pipeline: 'assets', resolution: '1d', cluster: 'edge-01', before: 0, after: 17.75 },
    ],
    changes: [
      {
        window: 'allocations/1d/1794614400-1794700800',
        change: 'changed',
        clusters: [{ cluster: 'staging', before: 120.5, after: 131.25 }],
      },
      {
        window: 'assets/1d/1794614400-1794700800',
        change: 'added',
        clusters: [{ cluster: 'edge-01', before: null, after: 17.75 }],
      },
      {
        window: 'assets/1d/1794528000-1794614400',
        change: 'changed',
        clusters: [],
        unreadable: 'STORAGE_NOT_FOUND: There is no such object.',
      },
    ],
    omitted: 0,
  };
}
