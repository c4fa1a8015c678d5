import { aliasKeys } from './aliases';
import { invalid } from './invalid';
import type { Parameters } from './legacy-filters';
import type { Filtered } from './parse-filter';
import { parseFilters } from './parse-filters';
import { wholeNumber } from './parse-page';
import { parseWindow } from './parse-window';
import type { AutocompleteRequest } from './request';
import type { RequestDefaults } from './request-defaults';
import { sanitizeKey } from './sanitize';

const allocationValues = [
  'cluster namespace node controllerKind controllerName controller pod container service services provider',
  'label annotation namespacelabel department environment owner product team',
].flatMap((line) => line.split(' '));
const assetValues =
  'type account cluster category provider providerID providerid name project service label assetType department environment owner product team'.split(
    ' ',
  );
/** `known`: the fields whose values can be listed. `keyed`: the fields that can have a key, such as `label:app`. */
const valueFields: Readonly<Record<Filtered, { known: readonly string[]; keyed: readonly string[] }>> = {
  allocations: { known: allocationValues, keyed: ['label', 'annotation', 'namespacelabel'] },
  assets: { known: assetValues, keyed: ['label'] },
};

/** Parses a query that lists the values of a field. Throws QUERY_INVALID if the field is missing or unknown. */
export function parseAutocompleteRequest(
  of: Filtered,
  parameters: Parameters,
  defaults: RequestDefaults,
): AutocompleteRequest {
  const given = parameters['field']?.trim() ?? '';
  const colon = given.indexOf(':');
  const [start, key] = colon < 0 ? [given, undefined] : [given.slice(0, colon), given.slice(colon + 1)];
  const { known, keyed } = valueFields[of];
  const word = known.find((one) => one.toLowerCase() === start.toLowerCase());
  if (word === undefined || (key !== undefined && !(keyed.includes(word) && key.trim() !== ''))) {
    throw invalid('field', given, `is not one of ${known.join(', ')} or ${keyed[0]}:KEY.`);
  }
  const alias = aliasKeys(word, defaults.aliases)?.[0];
  const filter = parseFilters(parameters, of, defaults.aliases);
  const limit = wholeNumber('limit', parameters['limit']) ?? 100;
  return {
    of,
    window: parseWindow(parameters['window'], defaults),
    field:
      alias !== undefined
        ? `label:${alias}`
        : key === undefined
          ? word
          : `${word}:${sanitizeKey(key.trim())}`,
    search: parameters['search'] ?? '',
    limit: Math.min(limit, 1_000),
    ...(filter !== undefined && { filter }),
  };
}
