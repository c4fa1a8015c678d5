import { withoutSecrets } from './secrets';

/**
 * Describes an error of any kind in one line: its code, its message, and the messages of its causes. Never returns an
 * empty text, or a secret. Also accepts errors from a workflow. For these, `instanceof Error` is false, because they come from
 * another V8 context.
 */
export function errorLine(error: unknown): string {
  const parts: string[] = [];
  for (let at = error; at !== undefined && at !== null && parts.length < longestChain; at = causeOf(at)) {
    const part = ownLine(at);
    if (!parts.some((earlier) => earlier.includes(part))) parts.push(part);
  }
  return withoutSecrets(parts.length === 0 ? String(error) : parts.join(': '));
}

/** Returns whether a value is an error, even if it comes from another V8 context. */
export function isError(value: unknown): value is Error {
  return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]';
}

/** Number of causes to follow. The limit is needed because a chain of causes may be circular. */
const longestChain = 8;

function causeOf(error: unknown): unknown {
  return isError(error) ? error.cause : undefined;
}

function ownLine(error: unknown): string {
  if (!isError(error)) return String(error);
  const { message, name, code, type, errors } = error as Error & Record<'code' | 'type' | 'errors', unknown>;
  // If Node failed to connect to several addresses of a host, its error has no message, but contains one error per
  // address.
  const inner = Array.isArray(errors) ? errors.map(errorLine) : [];
  const said = message !== '' ? message : [...new Set(inner)].join(', ');
  const kind = [type, code].find((text): text is string => typeof text === 'string' && text !== '');
  if (said === '') return kind ?? name;
  return kind === undefined || said.includes(kind) ? said : `${kind}: ${said}`;
}
