import type { KubernetesObject } from './helm';

/** A map in a manifest. */
export type Fields = Readonly<Record<string, unknown>>;

/** A pod or a pod template, with the object that contains it. */
export interface PodSource {
  readonly owner: KubernetesObject;
  /** Path of the pod's spec in the owner, such as `spec.template.spec`. (The owner of a pod is the pod itself.) */
  readonly path: string;
  readonly labels: Fields;
  readonly spec: Fields;
  /** Names of the volume claims that the owner creates for each pod. */
  readonly claims: readonly string[];
}

/** Returns the pod that an object is, or the pod templates that it contains. */
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

/** Returns the value if it is a map, otherwise an empty map: another check reports the wrong type. */
export function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

/** Returns the items of a list, each of them as a map. */
export function list(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(fields) : [];
}
