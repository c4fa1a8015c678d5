import type { KubernetesObject } from './helm';
import { containersOf, type Fields, fields, list, type PodSource } from './pods';
import { nameOf } from './validate';

/** Finds references to objects that are neither in the release nor in `existing`. */
export function findDangling(
  objects: readonly KubernetesObject[],
  pods: readonly PodSource[],
  existing: readonly string[],
): string[] {
  const there = new Set([...objects.map(nameOf), ...existing, 'ServiceAccount/default']);
  const problems: string[] = [];
  const need = (owner: KubernetesObject, path: string, kind: string, name: unknown): void => {
    if (typeof name === 'string' && !there.has(`${kind}/${name}`))
      problems.push(
        `${nameOf(owner)}: ${path}: ${kind}/${name} is not made by the release, nor known to be there`,
      );
  };
  for (const { owner, path, spec } of pods) {
    need(owner, `${path}.serviceAccountName`, 'ServiceAccount', spec['serviceAccountName']);
    for (const { name } of list(spec['imagePullSecrets']))
      need(owner, `${path}.imagePullSecrets`, 'Secret', name);
    for (const [at, volume] of list(spec['volumes']).entries()) {
      const volumePath = `${path}.volumes[${at}]`;
      for (const source of [volume, ...list(fields(volume['projected'])['sources'])]) {
        need(owner, volumePath, 'ConfigMap', required(source['configMap'])['name']);
        const secret = required(source['secret']);
        need(owner, volumePath, 'Secret', secret['secretName'] ?? secret['name']);
        need(
          owner,
          volumePath,
          'PersistentVolumeClaim',
          fields(source['persistentVolumeClaim'])['claimName'],
        );
      }
    }
    for (const { container, path: containerPath } of containersOf(spec, path)) {
      for (const { name, valueFrom } of list(container['env'])) {
        const at = `${containerPath}.env ${String(name)}`;
        need(owner, at, 'ConfigMap', required(fields(valueFrom)['configMapKeyRef'])['name']);
        need(owner, at, 'Secret', required(fields(valueFrom)['secretKeyRef'])['name']);
      }
      for (const { configMapRef, secretRef } of list(container['envFrom'])) {
        need(owner, `${containerPath}.envFrom`, 'ConfigMap', required(configMapRef)['name']);
        need(owner, `${containerPath}.envFrom`, 'Secret', required(secretRef)['name']);
      }
    }
  }
  for (const object of objects) {
    const spec = fields(object['spec']);
    const target = fields(spec['scaleTargetRef']);
    switch (object.kind) {
      case 'HorizontalPodAutoscaler':
        need(object, 'spec.scaleTargetRef', String(target['kind']), target['name']);
        break;
      case 'StatefulSet':
        need(object, 'spec.serviceName', 'Service', spec['serviceName']);
        break;
      case 'RoleBinding':
      case 'ClusterRoleBinding': {
        const role = fields(object['roleRef']);
        need(object, 'roleRef', String(role['kind']), role['name']);
        for (const { kind, name } of list(object['subjects']))
          if (kind === 'ServiceAccount') need(object, 'subjects', 'ServiceAccount', name);
        break;
      }
      case 'Ingress':
        problems.push(...ingressBackends(object, objects, need));
        break;
    }
  }
  return problems;
}

/** Checks that all services to which an ingress refers exist, and that they have the ports that the ingress names. */
function ingressBackends(
  ingress: KubernetesObject,
  objects: readonly KubernetesObject[],
  need: (owner: KubernetesObject, path: string, kind: string, name: unknown) => void,
): string[] {
  const spec = fields(ingress['spec']);
  const paths = list(spec['rules']).flatMap(({ http }) => list(fields(http)['paths']));
  return [spec['defaultBackend'], ...paths.map(({ backend }) => backend)].flatMap((backend) => {
    const { name, port } = fields(fields(backend)['service']);
    if (name === undefined) return [];
    need(ingress, 'spec.rules', 'Service', name);
    const service = objects.find((object) => object.kind === 'Service' && object.metadata.name === name);
    const wanted = fields(port)['name'] ?? fields(port)['number'];
    const offered = list(fields(service?.['spec'])['ports']);
    if (!service || offered.some((one) => wanted === one['name'] || wanted === one['port'])) return [];
    return [`${nameOf(ingress)}: spec.rules: ${nameOf(service)} has no port ${String(wanted)}`];
  });
}

/**
 * Returns the fields of a reference to another object. Returns an empty map if the reference has `optional: true`,
 * because the object may then be missing.
 */
function required(reference: unknown): Fields {
  const found = fields(reference);
  return found['optional'] === true ? {} : found;
}
