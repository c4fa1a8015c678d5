import type { Aliases } from './aliases';
import type { Filter } from './filter';
import { type Parameters, parseLegacyFilters } from './legacy-filters';
import { type Filtered, parseFilter } from './parse-filter';

/**
 * Parses the filters of both filter languages. If both are given, records have to match both: ignoring one would give
 * wrong numbers.
 */
export function parseFilters(parameters: Parameters, of: Filtered, aliases: Aliases): Filter | undefined {
  const parts = [
    parseFilter(parameters['filter'], of, aliases),
    parseLegacyFilters(parameters, of, aliases),
  ].filter((part) => part !== undefined);
  return parts.length > 1 ? { kind: 'and', parts } : parts[0];
}
