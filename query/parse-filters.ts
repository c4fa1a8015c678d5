import type { Aliases } from './aliases';
import type { Filter } from './filter';
import { type Parameters, parseLegacyFilters } from './legacy-filters';
import { type Filtered, parseFilter } from './parse-filter';

/** Combines the filters of both languages: numbers would be wrong if either were ignored. */
export function parseFilters(parameters: Parameters, of: Filtered, aliases: Aliases): Filter | undefined {
  const parts = [
    parseFilter(parameters['filter'], of, aliases),
    parseLegacyFilters(parameters, of, aliases),
  ].filter((part) => part !== undefined);
  return parts.length > 1 ? { kind: 'and', parts } : parts[0];
}
