import { FederationError } from '../errors/federation-error';

/** Most characters of an invalid value that an error quotes. */
const mostShown = 100;

/** QUERY_INVALID for a parameter: names the parameter, its value and what is wrong with it. */
export function invalid(parameter: string, text: string, why: string): FederationError {
  return new FederationError('QUERY_INVALID', {
    subject: { parameter },
    detail: `Invalid '${parameter}' parameter: ${JSON.stringify(text.slice(0, mostShown))} ${why}`,
  });
}
