import { FederationError } from '../errors/federation-error';

/** Maximum number of characters of an invalid value that an error message quotes. */
const mostShown = 100;

/** Creates a QUERY_INVALID error. Its message names the parameter, its value, and what is wrong with the value. */
export function invalid(parameter: string, text: string, why: string): FederationError {
  return new FederationError('QUERY_INVALID', {
    subject: { parameter },
    detail: `Invalid '${parameter}' parameter: ${JSON.stringify(text.slice(0, mostShown))} ${why}`,
  });
}
