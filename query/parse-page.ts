import { invalid } from './invalid';
import type { Parameters } from './legacy-filters';

/** Parses the parameters `offset` and `limit`. Throws QUERY_INVALID if one of them is not a valid number. */
export function parsePage(parameters: Parameters): { offset: number; limit?: number } {
  const limit = wholeNumber('limit', parameters['limit']);
  return { offset: wholeNumber('offset', parameters['offset']) ?? 0, ...(limit !== undefined && { limit }) };
}

/**
 * Parses a whole number with at most nine digits and no sign. Returns undefined if the parameter is missing. Throws
 * QUERY_INVALID for any other text.
 */
export function wholeNumber(parameter: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw invalid(parameter, text, 'is not a whole number.');
}
