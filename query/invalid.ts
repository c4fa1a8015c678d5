import { FederationError } from '../errors/federation-error';

/** How much of a text that cannot be understood is repeated. */
const mostShown = 100;

/** The error of a parameter that cannot be understood: it names the parameter, the text and what is wrong with it. */
export function invalid(parameter: string, text: string, why: string): FederationError {
  return new FederationError('QUERY_INVALID', {
    subject: { parameter },
    detail: `Invalid '${parameter}' parameter: ${JSON.stringify(text.slice(0, mostShown))} ${why}`,
  });
}
