import type { ErrorCode } from './catalog';
import { errorLine, isError } from './error-line';
import { FederationError, type FederationErrorOptions } from './federation-error';
import { sentence } from './hints';

/** The Temporal server and namespace of the failed request, if known. Error messages show them to the user. */
export interface TemporalPlace {
  readonly address?: string;
  readonly namespace?: string;
  /** Whether the client used TLS. */
  readonly tls?: boolean;
}

/**
 * Converts an error of Temporal's SDK to an error of the catalogue that says what a person can do about it. Returns
 * undefined for any other error. Recognizes errors by their fields instead of their classes, because importing the
 * classes would load the SDK, which is slow.
 */
export function temporalFailure(error: unknown, place: TemporalPlace = {}): FederationError | undefined {
  const answer = findAnswer(error);
  if (answer === undefined) return undefined;
  const { status, text } = answer;
  const server = `The Temporal server${place.address === undefined ? '' : ` at ${place.address}`}`;
  const fail = (code: ErrorCode, options: FederationErrorOptions) =>
    new FederationError(code, { cause: error, ...options });

  const [, absent] = /^Namespace not found: '(.+)'$/.exec(text) ?? [];
  const [, missing = absent] = /\b[Nn]amespace "?([^\s"]+)"? (?:is )?not found/.exec(text) ?? [];
  if (missing !== undefined) return namespaceMissing(missing, place, error);
  if (status === 'not found')
    return fail('TEMPORAL_REFUSED', { detail: `${server} does not know it: ${sentence(text)}` });
  if (status === 'denied') {
    const what = place.namespace === undefined ? '' : ` the namespace ${place.namespace}`;
    return fail('TEMPORAL_ACCESS_DENIED', {
      detail: `${server} denies this client${what || ' the request'}: ${sentence(text)}`,
    });
  }
  if (status === 'throttled')
    return fail('TEMPORAL_THROTTLED', { detail: `${server} asks for fewer requests: ${sentence(text)}` });
  if (status === 'refused')
    return fail('TEMPORAL_REFUSED', { detail: `${server} refused a request: ${sentence(text)}` });
  if (/^Deadline exceeded.*remote_addr=/s.test(text))
    return fail('TEMPORAL_UNAVAILABLE', { detail: `${server} did not answer in time.`, hint: slowServer });
  const { why, hint } = explain(text, place.tls === true);
  return fail('TEMPORAL_UNAVAILABLE', {
    detail: `No Temporal server answers${place.address === undefined ? '' : ` at ${place.address}`}: ${sentence(why)}`,
    ...(hint !== undefined && { hint }),
  });
}

/** What to do about a server that was reached, but has not answered in time. */
export const slowServer =
  'Try again. If that does not help, look at the load and the log of the Temporal server, and at the network on the way to it.';

/** Returns the error for a namespace that the Temporal server does not have. */
export function namespaceMissing(
  namespace: string,
  { address }: TemporalPlace,
  cause: unknown,
): FederationError {
  const server = `The Temporal server${address === undefined ? '' : ` at ${address}`}`;
  return new FederationError('TEMPORAL_UNAVAILABLE', {
    subject: { setting: 'temporal.namespace' },
    detail: `${server} has no namespace ${namespace}.`,
    hint: `Create it with \`temporal operator namespace create --namespace ${namespace} --retention 30d\`, or correct temporal.namespace.`,
    retryable: false,
    cause,
  });
}

type Status = 'unavailable' | 'denied' | 'throttled' | 'refused' | 'not found';

/** gRPC status codes; all others mean that the server failed or could not be reached. */
const statuses: Readonly<Record<number, Status>> = {
  3: 'refused',
  5: 'not found',
  6: 'refused',
  7: 'denied',
  8: 'throttled',
  9: 'refused',
  11: 'refused',
  12: 'refused',
  16: 'denied',
};

/** The names of the same statuses in messages of the SDK's native part. */
const nativeStatuses: readonly (readonly [RegExp, Status])[] = [
  [/does not have permission|valid authentication credentials/, 'denied'],
  [/resource has been exhausted/, 'throttled'],
  [/entity was not found/, 'not found'],
  [/invalid argument|not implemented/, 'refused'],
];

const sdkErrors = new Set([
  'ServiceError',
  'WorkflowNotFoundError',
  'ScheduleNotFoundError',
  'NamespaceNotFoundError',
  'QueryNotRegisteredError',
  'QueryRejectedError',
]);

interface Answer {
  readonly status: Status;
  readonly text: string;
}

function findAnswer(error: unknown): Answer | undefined {
  for (let at = error, depth = 0; isError(at) && depth < 8; at = at.cause, depth++) {
    const { name, message } = at;
    const { code, details, metadata } = at as { code?: unknown; details?: unknown; metadata?: unknown };
    if (typeof code === 'number' && metadata !== undefined)
      return {
        status: statuses[code] ?? 'unavailable',
        text: typeof details === 'string' ? details : message,
      };
    if (name === 'NamespaceNotFoundError') return { status: 'not found', text: message };
    if (/^(Workflow|Schedule)NotFoundError$/.test(name)) return { status: 'not found', text: message };
    if (/^Query(NotRegistered|Rejected)Error$/.test(name)) return { status: 'refused', text: message };
    if (name === 'TransportError') {
      const [, status = 'unavailable'] = nativeStatuses.find(([pattern]) => pattern.test(message)) ?? [];
      const [, text = message] = /message: "((?:[^"\\]|\\.)*)"/.exec(message) ?? [];
      return { status, text };
    }
  }
  return isError(error) && sdkErrors.has(error.name)
    ? { status: 'unavailable', text: errorLine(error) }
    : undefined;
}

const tls =
  'docs/reference/settings.md lists the variables for TLS, such as TEMPORAL_TLS_SERVER_CA_CERT_PATH.';

/** What is wrong and what to do if a server does not accept the certificate of the client, or demands one. */
const refusedCertificate = [
  'the server does not accept the client certificate',
  'Set TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH to a certificate that the server accepts and that has not expired.',
] as const;

/** Reasons why a connection fails, as the SDK words them, and what a person can do about them. */
const reasons: readonly (readonly [pattern: RegExp, why: string | undefined, hint: string])[] = [
  [
    /^undefined$/,
    'the proxy refuses the connection',
    'The variables grpc_proxy, https_proxy and http_proxy name the proxy. Correct them, or add the server to no_proxy.',
  ],
  [
    /^Failed to connect\b/,
    'the connection was closed at once, as a server that expects TLS does',
    `If the server uses TLS, set it up here too. ${tls}`,
  ],
  [
    /wrong version number|packet length too long/,
    'the server does not use TLS, but this client does',
    'Do not set the TEMPORAL_TLS variables or an API key for a server without TLS, or correct temporal.address.',
  ],
  [
    /certificate required|bad certificate|handshake failure|unknown ca\b|\balert .*certificate/,
    ...refusedCertificate,
  ],
  [
    /certificate (?:has expired|is not yet valid)/,
    undefined,
    'Renew the server’s certificate, or correct the clock of this machine.',
  ],
  [
    /altnames/,
    undefined,
    'Use a name that is in the server’s certificate as temporal.address, or set TEMPORAL_TLS_SERVER_NAME.',
  ],
  [
    /certificate/,
    undefined,
    `Set TEMPORAL_TLS_SERVER_CA_CERT_PATH to the certificate of the authority that signed the server’s. ${tls}`,
  ],
  [
    /^Protocol error\b|HTTP status|no application protocol/,
    'what answers there does not speak gRPC',
    'Correct temporal.address: it names the frontend (port 7233, as a rule), not the web UI.',
  ],
  [
    /^Name resolution failed/,
    'its name cannot be resolved',
    'Correct temporal.address (or TEMPORAL_ADDRESS), or the DNS.',
  ],
];

function explain(text: string, tls: boolean): { why: string; hint?: string } {
  const said = text
    .replace(/^No connection established\. Last error: (?:Error(?: \[\w+\])?: )?/, '')
    .replace(/\s*Resolution note: *\.?$/, '')
    .replace(/\s*\(\d{4}-[^)]*\)/, '')
    .replace(/\.+$/, '')
    .trim();
  if (/^Deadline exceeded/.test(said)) return { why: 'there was no answer in time' };
  if (tls && /^Failed to connect\b/.test(said)) {
    const [, hint] = refusedCertificate;
    return {
      why: 'the connection was closed at once, as by a server that does not accept the client certificate',
      hint,
    };
  }
  const found = reasons.find(([pattern]) => pattern.test(said));
  if (found === undefined) return { why: said };
  const [, why = said, hint] = found;
  return { why, hint };
}
