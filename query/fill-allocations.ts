import { type AllocationColumns, leadingNumbers } from './allocation-columns';
import { fillIdentities, type Identified } from './fill-identities';
import type { IngestConnection } from './ingest-connection';
import { storedMeasures } from './measures';
import { notePeak } from './peaks';

/** Stores allocations of a window file. Updates `peaks`, which contains the largest absolute value of each column. */
export async function fillAllocations(
  into: IngestConnection,
  file: number,
  columns: AllocationColumns,
  peaks: Map<string, number>,
  signal?: AbortSignal,
): Promise<void> {
  const identified = await fillIdentities(into, columns);
  await fillNumbers(into, file, columns, identified, peaks, signal);
  await fillParts(into, file, columns, identified, peaks);
}

async function fillNumbers(
  { tables }: IngestConnection,
  file: number,
  { rows, stride, numbers }: AllocationColumns,
  { clusters, identities }: Identified,
  peaks: Map<string, number>,
  signal?: AbortSignal,
): Promise<void> {
  const columnAt = (index: number) => numbers.subarray(index * stride, index * stride + rows);
  const leading = (name: (typeof leadingNumbers)[number]) => columnAt(leadingNumbers.indexOf(name));
  const maximum = (name: 'cpuMax' | 'ramMax' | 'gpuMax') => {
    const column = leading(name);
    return (row: number) => {
      const value = column[row] ?? NaN;
      return Number.isNaN(value) ? null : value;
    };
  };
  const measures = storedMeasures.map(
    (measure, index) => [measure, columnAt(leadingNumbers.length + index)] as const,
  );
  for (const [measure, column] of measures) notePeak(peaks, measure, column);
  const [starts, ends] = [leading('start'), leading('end')];
  notePeak(
    peaks,
    'minutes',
    starts.map((start, row) => ((ends[row] ?? start) - start) / 60),
  );
  await tables.append(
    'allocation',
    rows,
    {
      file: () => file,
      cluster: clusters,
      identity: identities,
      start_at: starts,
      end_at: ends,
      cpu_max: maximum('cpuMax'),
      ram_max: maximum('ramMax'),
      gpu_max: maximum('gpuMax'),
      ...Object.fromEntries(measures),
    },
    signal,
  );
}

/** Stores the volumes, load balancers and GPUs of allocations. */
async function fillParts(
  { tables }: IngestConnection,
  file: number,
  { volumes, loadBalancers, gpus }: AllocationColumns,
  { identities, clusters, workloads }: Identified,
  peaks: Map<string, number>,
): Promise<void> {
  const owner = (rows: readonly number[]) => ({
    file: () => file,
    cluster: (row: number) => clusters[rows[row] ?? 0] ?? 0,
    identity: (row: number) => identities[rows[row] ?? 0] ?? 0,
  });
  const workload = (rows: readonly number[]) => (row: number) => workloads[rows[row] ?? 0] ?? 0;
  notePeak(peaks, 'pvs.byteHours', volumes.byteHours);
  notePeak(peaks, 'pvs.cost', volumes.cost);
  notePeak(peaks, 'lbAllocations.hours', loadBalancers.hours);
  notePeak(peaks, 'lbAllocations.cost', loadBalancers.cost);
  await tables.append('allocation_pv', volumes.row.length, {
    ...owner(volumes.row),
    workload: workload(volumes.row),
    pv_cluster: (row) => volumes.cluster[row] ?? '',
    pv_name: (row) => volumes.name[row] ?? '',
    pv_provider_id: (row) => volumes.providerID[row] ?? '',
    byte_hours: (row) => volumes.byteHours[row] ?? 0,
    cost: (row) => volumes.cost[row] ?? 0,
  });
  await tables.append('allocation_lb', loadBalancers.row.length, {
    ...owner(loadBalancers.row),
    workload: workload(loadBalancers.row),
    lb: (row) => loadBalancers.key[row] ?? '',
    service: (row) => loadBalancers.service[row] ?? '',
    ip: (row) => loadBalancers.ip[row] ?? '',
    private: (row) => loadBalancers.private[row] ?? false,
    hours: (row) => loadBalancers.hours[row] ?? 0,
    cost: (row) => loadBalancers.cost[row] ?? 0,
  });
  await tables.append('allocation_gpu', gpus.row.length, {
    ...owner(gpus.row),
    device: (row) => gpus.device[row] ?? '',
    model: (row) => gpus.model[row] ?? '',
    uuid: (row) => gpus.uuid[row] ?? '',
    gpu_shared: (row) => gpus.shared[row] ?? null,
  });
}
