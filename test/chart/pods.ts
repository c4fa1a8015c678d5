import type { KubernetesObject } from './helm';

/** A map in a manifest. */
export type Fields = Readonly<Record<string, unknown>>;

/** A pod or a pod template, and the object that contains it (its owner). The owner of a plain pod is the pod itself. */
export interface PodSource {
  readonly owner: KubernetesObject;
  /** Path of the pod's spec in its owner, such as `spec.template.spec`. */
  readonly path: string;
  readonly labels: Fields;
  readonly spec: Fields;
  /** Names of the volume claims that a StatefulSet creates for each pod. Empty for other owners. */
  readonly claims: readonly string[];
}

/** Returns the pod or the pod templates that an object contains. For an object of kind Pod, returns that pod. */
export function podsOf(owner: KubernetesObject): PodSource[] {
  const spec = fields(owner['spec']);
  const source = (path: string, template: Fields, claims: readonly string[] = []): PodSource => ({
    owner,
    path,
    labels: fields(fields(template['metadata'])['labels']),
    spec: fields(template['spec']),
    claims,
  });
  switch (owner.kind) {
    case 'Pod':
      return [source('spec', owner)];
    case 'CronJob':
      return [
        source(
          'spec.jobTemplate.spec.template.spec',
          fields(fields(fields(spec['jobTemplate'])['spec'])['template']),
        ),
      ];
    case 'Deployment':
    case 'DaemonSet':
    case 'StatefulSet':
    case 'Job': {
      const claims = list(spec['volumeClaimTemplates']).map(({ metadata }) =>
        String(fields(metadata)['name']),
      );
      return [source('spec.template.spec', fields(spec['template']), claims)];
    }
    default:
      return [];
  }
}

/** Returns the containers of a pod's spec with their paths. Includes init containers. */
export function containersOf(
  spec: Fields,
  path = 'spec',
): { readonly container: Fields; readonly path: string }[] {
  return ['initContainers', 'containers'].flatMap((kind) =>
    list(spec[kind]).map((container, at) => ({ container, path: `${path}.${kind}[${at}]` })),
  );
}

/**
 * Returns a value if it is a map, otherwise an empty map. A value of the wrong type is not reported here, because the
 * schema validation does that.
 */
export function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

/**
 * Returns the items of a list. Items that are not maps become empty maps. Returns no items if the value is not a list.
 */
export function list(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(fields) : [];
}
