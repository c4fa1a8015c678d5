import type { Aliases } from './aliases';
import type { Filter } from './filter';
import { type Parameters, parseLegacyFilters } from './legacy-filters';
import { type Filtered, parseFilter } from './parse-filter';

/**
 * Parses the filters of a query. A filter is either in the parameter `filter`, or in parameters of the older filter
 * language, such as `filterPods`. If there are filters of both kinds, records have to match both: ignoring one kind
 * would make the numbers wrong.
 */
export function parseFilters(parameters: Parameters, of: Filtered, aliases: Aliases): Filter | undefined {
  const parts = [
    parseFilter(parameters['filter'], of, aliases),
    parseLegacyFilters(parameters, of, aliases),
  ].filter((part) => part !== undefined);
  return parts.length > 1 ? { kind: 'and', parts } : parts[0];
}
