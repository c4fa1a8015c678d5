import type { KubernetesObject } from './helm';
import { findUnsafe } from './pod-safety';
import { containersOf, type Fields, fields, list, podsOf, type PodSource } from './pods';
import { findDangling } from './references';
import { nameOf } from './validate';

/** Options of `findInconsistencies`. */
export interface ConsistencyOptions {
  /** Namespace of the release. */
  readonly namespace: string;
  /** Existing objects that the release may refer to, such as `Secret/federated-store`. */
  readonly existing?: readonly string[];
}

/** Kinds of objects that do not belong to a namespace. */
const clusterWide = new Set([
  'ClusterRole',
  'ClusterRoleBinding',
  'CustomResourceDefinition',
  'Namespace',
  'PersistentVolume',
  'PriorityClass',
  'StorageClass',
]);

/**
 * Finds inconsistencies between the objects of a release: references to missing objects, selectors that match no pod,
 * duplicate objects, and pods with more permissions than they need. Returns one sentence for each. Does not check
 * objects against schemas: `validateObjects` does that.
 */
export function findInconsistencies(
  objects: readonly KubernetesObject[],
  options: ConsistencyOptions,
): string[] {
  const pods = objects.flatMap(podsOf);
  return [
    ...repeated(objects),
    ...namespaces(objects, options.namespace),
    ...objects.flatMap((object) => [
      ...selectors(object, pods),
      ...servicePorts(object, pods),
      ...monitoredPorts(object, objects, pods),
    ]),
    ...findDangling(objects, pods, options.existing ?? []),
    ...pods.flatMap((pod) =>
      [...mounts(pod), ...probePorts(pod), ...findUnsafe(pod)].map((text) => `${nameOf(pod.owner)}: ${text}`),
    ),
  ];
}

function repeated(objects: readonly KubernetesObject[]): string[] {
  const seen = new Set<string>();
  return objects.flatMap((object) => {
    const key = `${object.apiVersion.split('/').slice(0, -1).join('/')} ${nameOf(object)}`;
    if (seen.has(key)) return [`${nameOf(object)} is there twice`];
    seen.add(key);
    return [];
  });
}

function namespaces(objects: readonly KubernetesObject[], namespace: string): string[] {
  return objects.flatMap((object) => {
    const own = object.metadata.namespace;
    if (own === undefined) return [];
    if (clusterWide.has(object.kind))
      return [`${nameOf(object)}: metadata.namespace: the kind belongs to none`];
    return own === namespace
      ? []
      : [`${nameOf(object)}: metadata.namespace is ${own}, not the release's ${namespace}`];
  });
}

/** Checks that each selector of an object matches the labels of a pod in this release. */
function selectors(object: KubernetesObject, pods: readonly PodSource[]): string[] {
  const spec = fields(object['spec']);
  const own = pods.filter(({ owner }) => owner === object);
  const among = pods.filter(({ owner }) => owner.kind !== 'Job' && owner.kind !== 'CronJob');
  const check = (path: string, selector: unknown, candidates: readonly PodSource[]): string[] => {
    if (selector === undefined || candidates.some(({ labels }) => selects(selector, labels))) return [];
    return [`${nameOf(object)}: ${path} matches the labels of no pod of the release`];
  };
  switch (object.kind) {
    case 'Deployment':
    case 'StatefulSet':
    case 'DaemonSet': {
      const foreign = pods.filter(
        ({ owner, labels }) => owner !== object && selects(spec['selector'], labels),
      );
      return [
        ...check('spec.selector', spec['selector'], own),
        ...foreign.map(
          ({ owner }) => `${nameOf(object)}: spec.selector takes the pods of ${nameOf(owner)} as well`,
        ),
      ];
    }
    case 'Service':
      return check('spec.selector', spec['selector'] && { matchLabels: spec['selector'] }, among);
    case 'PodDisruptionBudget':
      return check('spec.selector', spec['selector'], among);
    case 'NetworkPolicy':
      return check('spec.podSelector', spec['podSelector'], pods);
    default:
      return [];
  }
}

function selects(selector: unknown, labels: Fields): boolean {
  const { matchLabels, matchExpressions } = fields(selector);
  return (
    Object.entries(fields(matchLabels)).every(([key, value]) => labels[key] === value) &&
    list(matchExpressions).every(({ key, operator, values }) => {
      const value = labels[String(key)];
      const named = (values as unknown[] | undefined)?.includes(value) ?? false;
      switch (operator) {
        case 'In':
          return named;
        case 'NotIn':
          return !named;
        case 'Exists':
          return value !== undefined;
        default:
          return value === undefined;
      }
    })
  );
}

/** Checks that each target port of a service exists in a container that the service selects. */
function servicePorts(object: KubernetesObject, pods: readonly PodSource[]): string[] {
  if (object.kind !== 'Service') return [];
  const { selector, ports } = fields(object['spec']);
  if (selector === undefined) return [];
  const behind = pods.filter(({ labels }) => selects({ matchLabels: selector }, labels));
  return list(ports).flatMap(({ port, targetPort }, at) => {
    const target = (targetPort ?? port) as string | number;
    const open = behind.some(({ spec }) =>
      containersOf(spec).some(({ container }) => hasPort(container, target)),
    );
    return open || behind.length === 0
      ? []
      : [`${nameOf(object)}: spec.ports[${at}]: no container behind it has the port ${target}`];
  });
}

/**
 * Checks that Prometheus finds what it must scrape: services or pods of the release that have a port with the given
 * name.
 */
function monitoredPorts(
  object: KubernetesObject,
  objects: readonly KubernetesObject[],
  pods: readonly PodSource[],
): string[] {
  const spec = fields(object['spec']);
  const check = (what: string, asked: unknown, offered: readonly Fields[][]): string[] => {
    if (offered.length === 0)
      return [`${nameOf(object)}: spec.selector matches the labels of no ${what} of the release`];
    return list(asked)
      .filter(({ port }) => port !== undefined && offered.flat().every(({ name }) => name !== port))
      .map(({ port }) => `${nameOf(object)}: no ${what} that it selects has the port ${String(port)}`);
  };
  if (object.kind === 'ServiceMonitor') {
    const services = objects.filter(
      ({ kind, metadata }) => kind === 'Service' && selects(spec['selector'], metadata.labels ?? {}),
    );
    return check(
      'service',
      spec['endpoints'],
      services.map((service) => [...list(fields(service['spec'])['ports'])]),
    );
  }
  if (object.kind === 'PodMonitor') {
    const selected = pods.filter(({ labels }) => selects(spec['selector'], labels));
    return check(
      'pod',
      spec['podMetricsEndpoints'],
      selected.map((pod) => containersOf(pod.spec).flatMap(({ container }) => list(container['ports']))),
    );
  }
  return [];
}

function hasPort(container: Fields, port: unknown): boolean {
  return list(container['ports']).some(({ name, containerPort }) => port === name || port === containerPort);
}

/** Checks that probes use ports that their containers declare. */
function probePorts({ path, spec }: PodSource): string[] {
  return containersOf(spec, path).flatMap(({ container, path: at }) =>
    ['startupProbe', 'livenessProbe', 'readinessProbe'].flatMap((name) => {
      const probe = fields(container[name]);
      const asked = fields(probe['httpGet'] ?? probe['tcpSocket'] ?? probe['grpc']);
      const port = asked['port'] as string | number | undefined;
      return port === undefined || hasPort(container, port)
        ? []
        : [`${at}.${name}: the container has no port ${port}`];
    }),
  );
}

/** Checks that all mounted volumes exist, and that all volumes are mounted. */
function mounts({ path, spec, claims }: PodSource): string[] {
  const volumes = list(spec['volumes']).map(({ name }) => String(name));
  const offered = new Set([...volumes, ...claims]);
  const mounted = containersOf(spec, path).flatMap(({ container, path: at }) =>
    list(container['volumeMounts']).map(({ name }) => ({ name: String(name), at })),
  );
  const used = new Set(mounted.map(({ name }) => name));
  return [
    ...mounted
      .filter(({ name }) => !offered.has(name))
      .map(({ name, at }) => `${at}.volumeMounts: there is no volume ${name}`),
    ...[...offered]
      .filter((name) => !used.has(name))
      .map((name) => `${path}.volumes: no container mounts ${name}`),
    ...volumes
      .filter((name, index) => volumes.indexOf(name) !== index)
      .map((name) => `${path}.volumes: ${name} is there twice`),
  ];
}
