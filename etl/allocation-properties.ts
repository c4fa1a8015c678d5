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

/** Codec of an allocation's properties: a version byte, then the fields. */
export const allocationProperties = described<AllocationProperties>(allocationVersions, fields);

const addProperties = adding<AllocationProperties, void, typeof fields>(fields, (a, b) => {
  const samePod =
    a.cluster === b.cluster &&
    a.node === b.node &&
    a.namespace === b.namespace &&
    a.pod === b.pod &&
    a.container === b.container;
  // If `a` is an `__unmounted__` allocation, it has no namespace labels, so use those of `b`.
  const namespaceFrom = a.container === '__unmounted__' ? b : a;
  const sameNamespace = a.namespace === b.namespace;
  return {
    controller: samePod ? oneController(a.controller, b.controller) : kept(a.controller, b.controller),
    namespaceLabels: sameNamespace ? namespaceFrom.namespaceLabels : null,
    namespaceAnnotations: sameNamespace ? namespaceFrom.namespaceAnnotations : null,
  };
});

/** Merges the properties of two allocations. Returns null if `a` or `b` is null. */
export function mergeAllocationProperties(
  a: AllocationProperties | null,
  b: AllocationProperties | null,
): AllocationProperties | null {
  return a === null || b === null ? null : addProperties(a, b);
}

/**
 * Chooses between two controller names of the same pod. Prefers a name that is not empty. If both names are non-empty,
 * returns the one that comes first in byte order.
 */
function oneController(a: ByteString, b: ByteString): ByteString {
  if (a === '' || b === '') return a === '' ? b : a;
  return a < b ? a : b;
}
