import type { FastifyRequest } from 'fastify';
import type { Parameters } from '../query/legacy-filters';
import { firstValues, type Query } from '../query/parse-parameters';

/**
 * Returns all query parameters of a request, including unknown ones. If a parameter occurs several times, returns the
 * first of its values that is not empty.
 */
export function parametersOf({ query }: FastifyRequest): Parameters {
  return firstValues(query as Query);
}
