import { log } from '@temporalio/workflow';
import { isClusterId } from '../etl/cluster-id';
import { parseConditions } from '../federation/conditions';
import type { ConditionsReport } from './messages';

/** Reads a report of conditions. Returns undefined for any other message, because a signal cannot be rejected. */
export function reportedConditions(message: unknown): ConditionsReport | undefined {
  const { cluster, conditions } = (message ?? {}) as Partial<Record<keyof ConditionsReport, unknown>>;
  if (typeof cluster === 'string' && isClusterId(cluster))
    return { cluster, conditions: parseConditions(conditions) };
  log.warn('A report of conditions that names no cluster was ignored', { message });
  return undefined;
}
