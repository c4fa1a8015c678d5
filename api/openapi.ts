import type { OpenAPIV3 } from 'openapi-types';
import { ownValue } from '../etl/own-value';
import { legacyFilters } from '../query/legacy-filters';

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
const pages: Parameter[] = [
  { name: 'offset', says: 'rows to skip in each set; idle rows do not count' },
  { name: 'limit', says: 'most rows of each set; idle rows do not count' },
];
const format: Parameter = { name: 'format', says: '`json` or `csv`' };
const labelColumns: Parameter = {
  name: 'labelColumns',
  says: 'labels that become columns in CSV',
};
const sets: Parameter[] = [
  { name: 'step', says: 'length of a set: 1h, 1d, 7d, hour, day, week, month, quarter' },
  { name: 'accumulate', says: 'true, false, hour, day, week, month, quarter, weeknow' },
  { name: 'accumulateBy', says: 'as accumulate, or none; it takes precedence' },
];
const filters = (of: 'allocations' | 'assets'): Parameter[] => [
  {
    name: 'filter',
    says: 'such as `cluster:"a",b+label[app]!:web`; values with blanks or `,+|()` need quotes',
    example: 'cluster:"cluster-1"',
  },
  ...legacyFilters(of).map((name) => ({
    name,
    says: `the first filter language: ${ownValue(takes, name) ?? 'values'} separated by commas; \`*\` at the end matches a prefix`,
  })),
];
const takes: Readonly<Record<string, string>> = {
  filterControllers: 'NAME or KIND:NAME',
  filterLabels: 'KEY:VALUE or KEY',
  filterAnnotations: 'KEY:VALUE or KEY',
};
const toplineParameters: Parameter[] = [
  window,
  {
    name: 'aggregate',
    says: 'cluster, node, namespace, controllerKind, controller, pod, container, service, deployment, statefulset, daemonset, job, account, provider, region, providerID, department, environment, owner, product, team, label:KEY, annotation:KEY, namespaceLabel:KEY; several separated by commas; `all`',
    example: 'cluster,namespace',
  },
  ...sets,
  { name: 'includeIdle', says: 'show idle; the default below /model' },
  { name: 'idle', says: 'as includeIdle, below /model only' },
  { name: 'idleByNode', says: 'idle per node rather than per cluster' },
  { name: 'splitIdle', says: 'one idle row per cluster or node' },
  {
    name: 'shareIdle',
    says: '`true` or `weighted` distributes idle among the allocations in proportion to their cost',
  },
  { name: 'shareNamespaces', says: 'namespaces whose cost is shared by the others' },
  { name: 'shareLabels', says: 'key:value; labels of allocations whose cost is shared by the others' },
  { name: 'shareCost', says: 'an amount per month to share' },
  { name: 'shareSplit', says: '`weighted` or `even`' },
  {
    name: 'shareTenancyCosts',
    says: "share a cluster's management cost among its allocations, in proportion to their cost",
  },
  ...filters('allocations'),
  { name: 'includeAggregatedMetadata', says: 'keep the labels that all members of a group share' },
  {
    name: 'includeVolumes',
    says: '`false` omits the lists of volumes and load balancers, but not their sums',
  },
  { name: 'includeProportionalAssetResourceCosts', says: '`false`; `true` is not part of this version' },
  { name: 'reconcile', says: '`false` counts every adjustment as 0' },
  { name: 'sortBy', says: 'a number of a row, or `name`; totalCost by default' },
  { name: 'sortByOrder', says: '`asc` or `desc`; `desc` by default' },
  format,
];
const summaryParameters = [...toplineParameters, ...pages];
const allocationParameters = [...summaryParameters, labelColumns];
const assetParameters: Parameter[] = [
  window,
  {
    name: 'aggregate',
    says: 'type, cluster, category, provider, account, project, service, name, providerid, department, …, label:KEY',
  },
  ...sets,
  ...filters('assets'),
  { name: 'disableAdjustments', says: 'count every adjustment as 0' },
  format,
  ...pages,
  labelColumns,
];
const valueParameters = (of: 'allocations' | 'assets'): Parameter[] => [
  {
    name: 'field',
    says: 'a field; `label` for the keys, `label:KEY` for the values',
    required: true,
    example: 'label',
  },
  window,
  { name: 'search', says: 'only values that contain this text, ignoring case' },
  { name: 'limit', says: 'most values; 100 by default, at most 1000' },
  ...filters(of),
];

/** Returns the description of the API in OpenAPI 3. */
export function openApi(): OpenAPIV3.Document {
  return {
    openapi: '3.0.3',
    info: {
      title: 'Federated ETL',
      version: '0.1.0',
      description:
        'The query API of Kubecost and OpenCost over all clusters of a federation. Without a prefix it answers as OpenCost does, below `/model` as Kubecost does. `warning` and the headers `X-Federated-ETL-…` say how fresh an answer is, what is missing in it, and which parameters did not count.',
    },
    components: {
      securitySchemes: {
        operatorToken: { type: 'http', scheme: 'bearer' },
        apiKey: { type: 'apiKey', in: 'header', name: 'X-API-KEY' },
      },
    },
    paths: {
      ...query('/allocation', 'Allocations', allocationParameters),
      ...query('/allocation/compute', 'Allocations, as OpenCost answers, below both', allocationParameters),
      ...query('/allocation/summary', 'Allocations in short', summaryParameters),
      ...query('/allocation/compute/summary', 'Allocations in short, as OpenCost answers', summaryParameters),
      ...query('/allocation/summary/topline', 'The sum of all rows', toplineParameters),
      ...query(
        '/allocation/autocomplete',
        'Values of a field of allocations',
        valueParameters('allocations'),
      ),
      ...query('/assets', 'Assets', assetParameters),
      ...query('/assets/autocomplete', 'Values of a field of assets', valueParameters('assets')),
      ...query('/clusterInfo', 'The cluster that serves', []),
      ...query('/clusterInfoMap', 'All clusters', []),
      ...query('/getConfigs', 'The currency', []),
      ...query('/version', 'The version of the server', []),
      ...own('/api/status', 'What is served, and all clusters', []),
      '/api/federations': {
        get: operation('Runs, the newest first', [{ name: 'limit', says: 'most runs; at most 200' }]),
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
  413: { description: 'The answer is larger than is allowed' },
  501: { description: 'Not a part of this version' },
  503: {
    description:
      'Nothing was combined yet, too many queries wait or answers are unread, or a query has no room',
  },
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
    security: [{ operatorToken: [] }, { apiKey: [] }],
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
