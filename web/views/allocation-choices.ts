/** Groupings of allocations, each with the API's name and a title. */
export const groupings = [
  ['cluster', 'Cluster'],
  ['cluster,namespace', 'Cluster, namespace'],
  ['namespace', 'Namespace'],
  ['controllerKind', 'Controller kind'],
  ['controller', 'Controller'],
  ['deployment', 'Deployment'],
  ['statefulset', 'StatefulSet'],
  ['daemonset', 'DaemonSet'],
  ['job', 'Job'],
  ['service', 'Service'],
  ['node', 'Node'],
  ['pod', 'Pod'],
  ['container', 'Container'],
  ['department', 'Department'],
  ['environment', 'Environment'],
  ['owner', 'Owner'],
  ['product', 'Product'],
  ['team', 'Team'],
  ['account', 'Account'],
  ['provider', 'Provider'],
  ['region', 'Region'],
] as const;
/** Choices for how idle costs are shown, each with a title. */
export const idles = [
  ['show', 'Show'],
  ['split', 'Show per cluster'],
  ['share', 'Share among rows'],
  ['hide', 'Hide'],
] as const;
export const rates = [
  ['total', 'Total'],
  ['day', 'Per day'],
  ['month', 'Per month'],
] as const;
/** Choices for the time span of a bar. An empty value leaves the span to the server, which answers with days. */
export const barUnits = [
  ['', 'Daily'],
  ['hour', 'Hourly'],
  ['week', 'Weekly'],
  ['month', 'Monthly'],
] as const;
