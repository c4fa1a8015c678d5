/** Groupings of allocations, each with its name in the API and its title. */
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
/** Ways to show idle costs, each with its value in the URL and its title. */
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
/**
 * Time spans that a bar can cover, each with its value in the URL and its title. If the value is empty, the server uses
 * its default of one day.
 */
export const barUnits = [
  ['', 'Daily'],
  ['hour', 'Hourly'],
  ['week', 'Weekly'],
  ['month', 'Monthly'],
] as const;
