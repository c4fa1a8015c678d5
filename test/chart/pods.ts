import type { KubernetesObject } from './helm';

/** A map in a manifest. */
export type Fields = Readonly<Record<string, unknown>>;

/** A pod or pod template, and the object that it belongs to. */
export interface PodSource {
  readonly owner: KubernetesObject;
  /** Path of the pod's spec in its owner, such as `spec.template.spec`. */
  readonly path: string;
  readonly labels: Fields;
  readonly spec: Fields;
  /** Names of the claims that the owner creates for the pod. */
  readonly claims: readonly string[];
}

/** Returns the pods that an object is or creates. */
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

/** Returns the containers in a pod's spec, including init containers, with their paths. */
export function containersOf(
  spec: Fields,
  path = 'spec',
): { readonly container: Fields; readonly path: string }[] {
  return ['initContainers', 'containers'].flatMap((kind) =>
    list(spec[kind]).map((container, at) => ({ container, path: `${path}.${kind}[${at}]` })),
  );
}

/** Returns the fields of a map. If the value is not a map, there are none; that error is reported elsewhere. */
export function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

/** Returns the items of a list as maps. */
export function list(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(fields) : [];
}
