import type { WantedFile } from '../../query/ingest';
import { allocation, allocationSet, day } from '../etl/build-records';
import { wantedSet } from '../query/engine-over';

/** Makes a window file of one day with one cluster. The cluster has `count` pods. */
export function manyAllocations(count: number): WantedFile {
  const { start, end } = day();
  if (start === null || end === null) throw new Error('the window of the golden file has an open side');
  const records = Array.from({ length: count }, (_, index) => {
    const pod = `pod-${String(index).padStart(5, '0')}`;
    const name = `many/node/namespace/${pod}/container`;
    const blank = allocation(name);
    return {
      ...blank,
      start,
      end,
      cpuCost: 1 + index / 1_000,
      properties: {
        version: 25,
        cluster: 'many',
        node: 'node',
        namespace: 'namespace',
        pod,
        container: 'container',
        controller: '',
        controllerKind: '',
        services: null,
        providerID: '',
        labels: null,
        annotations: null,
        namespaceLabels: null,
        namespaceAnnotations: null,
      },
    };
  });
  return wantedSet('allocations/1d/1794614400-1794700800', allocationSet(records));
}
