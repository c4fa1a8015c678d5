import { ownValue } from '../etl/own-value';
import type { AssetRow, Breakdown } from './answer';
import { propertyColumns } from './asset-columns';
import type { Labels } from './asset-labels';
import type { Row } from './database';
import { sanitizeKey } from './sanitize';
import type { Span } from './span';

/**
 * Keys of the GKE and EKS labels that contain the name of a node's pool. Each key is listed in three forms, as files
 * may contain any of them: sanitised, sanitised with the prefix `label_`, and unchanged.
 */
const poolLabels = [
  'cloud.google.com/gke-nodepool',
  'eks.amazonaws.com/nodegroup',
  'alpha.eksctl.io/nodegroup-name',
].flatMap((key) => [sanitizeKey(key), `label_${sanitizeKey(key)}`, key]);

/**
 * Converts a database row to a row of the query result. The row is for one asset or for a group of assets. A group of
 * assets of different types has the type `Any`.
 */
export function toAssetRow(row: Row, labels: Labels, window: Span): AssetRow {
  const number = (column: string) => Number(ownValue(row, column) ?? 0);
  const text = (column: string) => {
    const value = ownValue(row, column);
    return typeof value === 'string' ? value : '';
  };
  const nullable = (column: string) => (ownValue(row, column) === null ? null : number(column));
  const breakdown = (column: string): Breakdown => ({
    idle: number(`${column}_1`),
    other: number(`${column}_2`),
    system: number(`${column}_3`),
    user: number(`${column}_4`),
  });
  const hours = (number('end_at') - number('start_at')) / 3_600;
  const base = {
    key: text('key'),
    properties: Object.fromEntries(
      Object.entries(propertyColumns).flatMap(([name, column]) =>
        text(column) === '' ? [] : [[name, text(column)]],
      ),
    ),
    labels: { ...labels },
    window,
    start: number('start_at'),
    end: number('end_at'),
    adjustment: number('adjustment'),
    totalCost: number('total'),
  };
  switch (row['type']) {
    case 'Node':
      return {
        ...base,
        type: 'Node',
        nodeType: text('node_type'),
        pool: poolLabels.map((label) => ownValue(labels, label)).find((pool) => pool !== undefined) ?? '',
        cpuCoreHours: number('cpu_core_hours'),
        ramByteHours: number('ram_byte_hours'),
        gpuHours: number('gpu_hours'),
        // As in OpenCost, `gpuCount` is the average number of GPUs over the time span of the row.
        gpuCount: hours > 0 ? number('gpu_hours') / hours : 0,
        cpuBreakdown: breakdown('cpu_breakdown'),
        ramBreakdown: breakdown('ram_breakdown'),
        cpuCost: number('cpu_cost'),
        gpuCost: number('gpu_cost'),
        ramCost: number('ram_cost'),
        discount: number('discount'),
        preemptible: number('preemptible'),
        overhead:
          row['overhead_1'] === null
            ? null
            : {
                cpuOverheadFraction: number('overhead_1'),
                ramOverheadFraction: number('overhead_2'),
                overheadCostFraction: number('overhead_3'),
              },
      };
    case 'Disk':
      return {
        ...base,
        type: 'Disk',
        byteHours: number('byte_hours'),
        byteHoursUsed: nullable('byte_hours_used'),
        byteUsageMax: nullable('byte_usage_max'),
        breakdown: breakdown('disk_breakdown'),
        storageClass: text('storage_class'),
        volumeName: text('volume_name'),
        claimName: text('claim_name'),
        claimNamespace: text('claim_namespace'),
      };
    case 'LoadBalancer':
      return { ...base, type: 'LoadBalancer', private: row['private'] === true, ip: text('ip') };
    case 'Cloud':
      return { ...base, type: 'Cloud', credit: number('credit') };
    case 'Network':
    case 'ClusterManagement':
    case 'Shared':
      return { ...base, type: row['type'] };
    default:
      return { ...base, type: 'Any' };
  }
}
