import type { AllocationField, AllocationGroup } from '../../../query/request';
import { aliasOf } from './filter';
import type { PieceProperties } from './piece';

const unallocated = '__unallocated__';
const unmounted = '__unmounted__';

/** The name of the group that an allocation falls into. */
export function groupName(groups: readonly AllocationGroup[], properties: PieceProperties): string {
  return groups.map((group) => namePart(group, properties)).join('/');
}

function namePart(group: AllocationGroup, properties: PieceProperties): string {
  switch (group.kind) {
    case 'field':
      return fieldPart(group.field, properties);
    case 'label':
      return properties.labels.get(group.key) ?? unallocated;
    case 'annotation':
      return properties.annotations.get(group.key) ?? unallocated;
    case 'alias':
      return aliasOf(properties, group.key) ?? unallocated;
  }
}

function fieldPart(field: AllocationField, properties: PieceProperties): string {
  const { controller, controllerKind, services, pod, namespace, container } = properties;
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
      if ([pod, namespace, container].includes(unmounted)) return unmounted;
      return services[0] ?? unallocated;
  }
}
