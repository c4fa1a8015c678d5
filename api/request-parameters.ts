import type { FastifyRequest } from 'fastify';
import type { Parameters } from '../query/legacy-filters';
import { firstValues, type Query } from '../query/parse-parameters';

/**
 * Returns all parameters of a request, known or not. If a parameter is repeated, its first value that is not empty
 * counts.
 */
export function parametersOf({ query }: FastifyRequest): Parameters {
  return firstValues(query as Query);
}
