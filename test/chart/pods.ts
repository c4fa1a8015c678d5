import type { KubernetesObject } from './helm';

/** A map of a manifest whose fields are looked at by name. */
export type Fields = Readonly<Record<string, unknown>>;

/** A pod, or the template of one, and whose it is. */
export interface PodSource {
  readonly owner: KubernetesObject;
  /** Where its spec is, such as `spec.template.spec`. */
  readonly path: string;
  readonly labels: Fields;
  readonly spec: Fields;
  /** The names of the claims that its owner makes for it. */
  readonly claims: readonly string[];
}

/** The pods that an object is or makes. */
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

/** The containers of a pod's spec, those that start before the others included, and where they are. */
export function containersOf(
  spec: Fields,
  path = 'spec',
): { readonly container: Fields; readonly path: string }[] {
  return ['initContainers', 'containers'].flatMap((kind) =>
    list(spec[kind]).map((container, at) => ({ container, path: `${path}.${kind}[${at}]` })),
  );
}

/** A map's fields, none where it is no map: that is said elsewhere. */
export function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

/** The maps of a list. */
export function list(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(fields) : [];
}
