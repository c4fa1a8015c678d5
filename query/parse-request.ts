import { nearestName } from '../errors/nearest-name';
import { sortFields } from './derived';
import { invalid } from './invalid';
import type { Parameters } from './legacy-filters';
import { parseFilters } from './parse-filters';
import { parseAllocationGroups, parseAssetGroups } from './parse-groups';
import { parsePage } from './parse-page';
import { onOff } from './parse-parameters';
import { parseOneSet, parseSets } from './parse-sets';
import { parseIdle, parseSharing } from './parse-sharing';
import { parseAccumulation } from './parse-step';
import type { AllocationRequest, AssetRequest } from './request';
import type { RequestDefaults } from './request-defaults';

/**
 * Parses a query for allocations. Throws QUERY_INVALID if the query is invalid, and QUERY_NOT_BUILT if it uses features
 * that this version does not have.
 */
export function parseAllocationRequest(parameters: Parameters, defaults: RequestDefaults): AllocationRequest {
  const { flavour, now, aliases } = defaults;
  const accumulate = parseAccumulation(parameters['accumulate'], parameters['accumulateBy']);
  const sets = parseSets(parameters, defaults, accumulate);
  const idle = parseIdle(parameters, flavour);
  const filter = parseFilters(parameters, 'allocations', aliases);
  const groups = parseAllocationGroups(parameters['aggregate'], aliases);
  return {
    ...sets,
    groups,
    ...(filter !== undefined && { filter }),
    idle,
    sharing: parseSharing(parameters),
    aggregatedMetadata: onOff(parameters['includeAggregatedMetadata']) ?? false,
    volumes: onOff(parameters['includeVolumes']) ?? true,
    reconcile: onOff(parameters['reconcile']) ?? true,
    sort: parseSort(parameters['sortBy'], parameters['sortByOrder']),
    ...parsePage(parameters),
    now,
  };
}

/** Parses a query for assets. Throws QUERY_INVALID if the query is invalid. */
export function parseAssetRequest(parameters: Parameters, defaults: RequestDefaults): AssetRequest {
  const { flavour, aliases, now } = defaults;
  const accumulate = parseAccumulation(parameters['accumulate'], parameters['accumulateBy']);
  const groups = parseAssetGroups(parameters['aggregate'], aliases);
  const filter = parseFilters(parameters, 'assets', aliases);
  // On OpenCost's paths (without the prefix `/model`), a query for assets always returns a single result set.
  const sets =
    flavour === 'opencost' ? parseOneSet(parameters, defaults) : parseSets(parameters, defaults, accumulate);
  return {
    ...sets,
    ...(groups !== undefined && { groups }),
    ...(filter !== undefined && { filter }),
    disableAdjustments: onOff(parameters['disableAdjustments']) ?? false,
    ...parsePage(parameters),
    now,
  };
}

function parseSort(by = 'totalCost', order = 'desc'): AllocationRequest['sort'] {
  const given = by.trim().toLowerCase();
  const field = sortFields.find((known) => known.toLowerCase() === given);
  if (field === undefined) {
    const meant = nearestName(by.slice(0, 100), sortFields);
    throw invalid('sortBy', by, `is not a field to sort by; did you mean ${meant?.name}?`);
  }
  const direction = order.trim().toLowerCase();
  if (direction !== 'asc' && direction !== 'desc') {
    throw invalid('sortByOrder', order, 'is neither asc nor desc.');
  }
  return { by: field, descending: direction === 'desc' };
}
