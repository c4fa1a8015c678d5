import type { ByteString } from './byte-string';
import { list, map, since, str } from './codec';
import { adding, described, type Description, field, ownField } from './field';
import { dropped, kept } from './merge-parts';
import type { AllocationProperties } from './model';
import { allocationVersions } from './versions';

const fields = {
  cluster: field(str, kept),
  node: field(str, kept),
  container: field(str, kept),
  controller: ownField(str),
  controllerKind: field(str, kept),
  namespace: field(str, kept),
  pod: field(str, kept),
  services: field(list(str), dropped),
  providerID: field(str, kept),
  labels: field(map(str), dropped),
  annotations: field(map(str), dropped),
  namespaceLabels: ownField(since(17, map(str), null)),
  namespaceAnnotations: ownField(since(17, map(str), null)),
} satisfies Description<AllocationProperties, void>;

/** Codec of allocation properties, from the version byte on. */
export const allocationProperties = described<AllocationProperties>(allocationVersions, fields);

const addProperties = adding<AllocationProperties, void, typeof fields>(fields, (a, b) => {
  const samePod =
    a.cluster === b.cluster &&
    a.node === b.node &&
    a.namespace === b.namespace &&
    a.pod === b.pod &&
    a.container === b.container;
  // The allocation of unmounted volumes has no namespace labels, but the other allocation may have some.
  const namespaceFrom = a.container === '__unmounted__' ? b : a;
  const sameNamespace = a.namespace === b.namespace;
  return {
    controller: samePod ? oneController(a.controller, b.controller) : kept(a.controller, b.controller),
    namespaceLabels: sameNamespace ? namespaceFrom.namespaceLabels : null,
    namespaceAnnotations: sameNamespace ? namespaceFrom.namespaceAnnotations : null,
  };
});

/** Merges the properties of two allocations. Returns null if either has none. */
export function mergeAllocationProperties(
  a: AllocationProperties | null,
  b: AllocationProperties | null,
): AllocationProperties | null {
  return a === null || b === null ? null : addProperties(a, b);
}

/**
 * Chooses between two names of a pod's controller, of which a pod can have only one: the name that is not empty, or the
 * smaller one.
 */
function oneController(a: ByteString, b: ByteString): ByteString {
  if (a === '' || b === '') return a === '' ? b : a;
  return a < b ? a : b;
}
