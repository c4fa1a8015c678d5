import type { AllocationField, AllocationGroup } from '../../../query/request';
import { aliasOf } from './filter';
import type { NodeWords } from './nodes';
import type { PieceProperties } from './piece';

const unallocated = '__unallocated__';

/** Returns the name of the group that contains an allocation. */
export function groupName(
  groups: readonly AllocationGroup[],
  properties: PieceProperties,
  node: NodeWords,
): string {
  return groups.map((group) => namePart(group, properties, node)).join('/');
}

function namePart(group: AllocationGroup, properties: PieceProperties, node: NodeWords): string {
  switch (group.kind) {
    case 'field':
      return fieldPart(group.field, properties, node);
    case 'label':
      return properties.labels.get(group.key) ?? unallocated;
    case 'annotation':
      return properties.annotations.get(group.key) ?? unallocated;
    case 'namespaceLabel':
      return properties.namespaceLabels.get(group.key) ?? unallocated;
    case 'alias':
      return aliasOf(properties, group.key) ?? unallocated;
  }
}

function fieldPart(field: AllocationField, properties: PieceProperties, node: NodeWords): string {
  const { controller, controllerKind, services } = properties;
  switch (field) {
    case 'cluster':
    case 'node':
    case 'namespace':
    case 'pod':
    case 'container':
    case 'providerID':
      return properties[field];
    case 'controllerKind':
      return controllerKind || unallocated;
    case 'controller':
      if (controller === '') return unallocated;
      return controllerKind === '' ? controller : `${controllerKind}:${controller}`;
    case 'deployment':
    case 'statefulset':
    case 'daemonset':
    case 'job':
      return controllerKind === field && controller !== '' ? controller : unallocated;
    case 'service':
      return services[0] ?? unallocated;
    case 'account':
    case 'provider':
    case 'region':
      return node[field] || unallocated;
  }
}
