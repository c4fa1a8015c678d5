import type { OpenAPIV3 } from 'openapi-types';

interface Parameter {
  readonly name: string;
  readonly says: string;
  readonly required?: true;
  readonly example?: string;
}

const window: Parameter = {
  name: 'window',
  says: 'today, yesterday, week, lastweek, month, lastmonth, 7d, 24h, 30m, 2w, `7d offset 1d`, or START,END in unix seconds or RFC 3339',
  required: true,
  example: '7d',
};
const page: Parameter[] = [
  { name: 'offset', says: 'rows to leave out of each set, by total cost from the highest' },
  { name: 'limit', says: 'rows of each set' },
  { name: 'format', says: '`json` or `csv`' },
  { name: 'labelColumns', says: 'labels that get a column of their own in CSV' },
];
const allocationParameters: Parameter[] = [
  window,
  {
    name: 'aggregate',
    says: 'cluster, node, namespace, controllerKind, controller, pod, container, service, deployment, statefulset, daemonset, job, department, environment, owner, product, team, label:KEY, annotation:KEY; several with commas; `all`',
    example: 'cluster,namespace',
  },
  { name: 'step', says: 'length of a set: 1h, 1d, 7d, hour, day, week, month, quarter' },
  { name: 'accumulate', says: 'true, false, hour, day, week, month, quarter, weeknow' },
  { name: 'accumulateBy', says: 'the same; it wins over accumulate' },
  { name: 'includeIdle', says: 'show idle; `idle` below /model, where it is on by default' },
  { name: 'idleByNode', says: 'idle for each node rather than for each cluster' },
  { name: 'splitIdle', says: 'a row of idle for each cluster or node' },
  { name: 'shareIdle', says: '`true` or `weighted` spreads idle over the allocations by their cost' },
  { name: 'shareNamespaces', says: 'namespaces whose cost the others share' },
  { name: 'shareLabels', says: 'key:value, likewise' },
  { name: 'shareCost', says: 'an amount a month that is shared' },
  { name: 'shareSplit', says: '`weighted` or `even`' },
  { name: 'filter', says: 'such as `namespace:"a","b"+label[app]!:"x"`', example: 'cluster:"cluster-1"' },
  {
    name: 'filterClusters',
    says: 'the first filter language: one parameter for each field, commas between alternatives',
  },
  {
    name: 'filterNamespaces',
    says: 'likewise; also filterNodes, filterControllers, filterControllerKinds, filterPods, filterContainers, filterServices, filterLabels, filterAnnotations, …',
  },
  { name: 'includeAggregatedMetadata', says: 'keep the labels that all members of a group have' },
  {
    name: 'includeVolumes',
    says: 'list volumes and load balancers one by one; by default where rows are pods or containers',
  },
  { name: 'reconcile', says: '`false` takes every adjustment as 0' },
  ...page,
];
const assetParameters: Parameter[] = [
  window,
  {
    name: 'aggregate',
    says: 'type, cluster, category, provider, account, project, service, name, providerid, department, …, label:KEY',
  },
  { name: 'accumulate', says: 'true, false, day, week, month, …' },
  { name: 'step', says: 'length of a set' },
  { name: 'filter', says: 'such as `assetType:"node"`' },
  {
    name: 'filterTypes',
    says: 'the first filter language; also filterClusters, filterNames, filterCategories, …',
  },
  { name: 'disableAdjustments', says: 'take every adjustment as 0' },
  ...page,
];
const autocompleteParameters: Parameter[] = [
  {
    name: 'field',
    says: 'a field; `label` for the keys, `label:KEY` for the values',
    required: true,
    example: 'label',
  },
  window,
  { name: 'search', says: 'only values that contain it' },
  { name: 'limit', says: 'at most so many; 100 unless told, 1000 at most' },
];

/** The description of the API, as OpenAPI 3. */
export function openApi(): OpenAPIV3.Document {
  return {
    openapi: '3.0.3',
    info: {
      title: 'Federated ETL',
      version: '0.1.0',
      description:
        'The query API of Kubecost and OpenCost over all clusters of a federation. Without a prefix it answers as OpenCost does, below `/model` as Kubecost does. `warning` and the headers `X-Federated-ETL-…` say how fresh an answer is and what is missing in it.',
    },
    components: { securitySchemes: { operatorToken: { type: 'http', scheme: 'bearer' } } },
    paths: {
      ...query('/allocation', 'Allocations', allocationParameters),
      ...query('/allocation/compute', 'Allocations, as OpenCost answers, below both', allocationParameters),
      ...query('/allocation/summary', 'Allocations in short', allocationParameters),
      ...query(
        '/allocation/compute/summary',
        'Allocations in short, as OpenCost answers',
        allocationParameters,
      ),
      ...query('/allocation/summary/topline', 'The sum of all rows', allocationParameters),
      ...query('/allocation/autocomplete', 'Values of a field of allocations', autocompleteParameters),
      ...query('/assets', 'Assets', assetParameters),
      ...query('/assets/autocomplete', 'Values of a field of assets', autocompleteParameters),
      ...query('/clusterInfo', 'The cluster that serves', []),
      ...query('/clusterInfoMap', 'All clusters', []),
      ...query('/getConfigs', 'The currency', []),
      ...query('/version', 'The version of the server', []),
      ...own('/api/status', 'What is served, and all clusters', []),
      '/api/federations': {
        get: operation('Runs, the newest first', [{ name: 'limit', says: 'at most so many; 200 at most' }]),
        post: actionOperation('Starts a federation'),
      },
      ...own('/api/generations', 'Commits, the newest first', []),
      ...own('/api/generations/diff', 'What differs between two generations', [
        { name: 'from', says: 'a generation', required: true },
        { name: 'to', says: 'a generation', required: true },
      ]),
      ...action('/api/clusters/{id}/exclude', 'Takes a cluster out of every window', 'id'),
      ...action('/api/clusters/{id}/include', 'Brings it back', 'id'),
      ...action('/api/federations/{run}/replay', 'Starts a federation of the same request again', 'run'),
      ...own('/healthz', 'Whether it runs', []),
      ...own('/readyz', 'Whether it has something to answer from', []),
      ...own('/metrics', 'Metrics for Prometheus', []),
    },
  };
}

const responses: OpenAPIV3.ResponsesObject = {
  200: { description: 'The answer' },
  400: { description: 'A parameter cannot be understood; the message names it' },
  401: { description: 'The token is missing or wrong' },
  404: { description: 'No such cluster, run or path' },
  413: { description: 'More rows than are allowed' },
  503: { description: 'Nothing was combined yet, or too many queries wait' },
  504: { description: 'It took longer than it may' },
};

function operation(summary: string, parameters: readonly Parameter[]): OpenAPIV3.OperationObject {
  return {
    summary,
    parameters: parameters.map(({ name, says, required, example }) => ({
      name,
      in: 'query',
      description: says,
      ...(required === true && { required }),
      ...(example !== undefined && { example }),
      schema: { type: 'string' },
    })),
    responses,
  };
}

function own(path: string, summary: string, parameters: readonly Parameter[]): OpenAPIV3.PathsObject {
  return { [path]: { get: operation(summary, parameters) } };
}

function query(path: string, summary: string, parameters: readonly Parameter[]): OpenAPIV3.PathsObject {
  return { ...own(path, summary, parameters), ...own(`/model${path}`, summary, parameters) };
}

function actionOperation(summary: string): OpenAPIV3.OperationObject {
  return {
    summary,
    security: [{ operatorToken: [] }],
    requestBody: { content: { 'application/json': { schema: { type: 'object' } } } },
    responses,
  };
}

function action(path: string, summary: string, parameter: string): OpenAPIV3.PathsObject {
  return {
    [path]: {
      parameters: [{ name: parameter, in: 'path', required: true, schema: { type: 'string' } }],
      post: actionOperation(summary),
    },
  };
}
