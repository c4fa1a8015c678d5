import type { Aliases } from './aliases';
import type { Filter } from './filter';
import { type Parameters, parseLegacyFilters } from './legacy-filters';
import { type Filtered, parseFilter } from './parse-filter';

/**
 * Parses the filters of both filter languages. If there are filters in both languages, records have to match both: if
 * one were ignored, the numbers would be wrong.
 */
export function parseFilters(parameters: Parameters, of: Filtered, aliases: Aliases): Filter | undefined {
  const parts = [
    parseFilter(parameters['filter'], of, aliases),
    parseLegacyFilters(parameters, of, aliases),
  ].filter((part) => part !== undefined);
  return parts.length > 1 ? { kind: 'and', parts } : parts[0];
}
