import pino, { type DestinationStream, type Logger } from 'pino';
import { prettyFactory, type PrettyOptions } from 'pino-pretty';
import { errorLine, isError } from '../errors/error-line';
import { withoutSecrets } from '../errors/secrets';
import { visibleLines } from '../etl/visible-text';

/**
 * Logger that writes one line per event. Each call passes an object with fields, then a readable message. One of the
 * fields must be `event`, the stable name of the event, such as `storage.call`. `child({cluster: …})` returns a logger
 * that adds the given fields to every line. A field may be an error: see `plainFields`.
 */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error' | 'child'>;

export interface LogSettings {
  level: 'debug' | 'info' | 'warn' | 'error';
  /** `auto` means `pretty` if the output is a terminal, otherwise `json`. */
  format: 'auto' | 'json' | 'pretty';
}

/** Returns whether a log with these settings is written as JSON lines. */
export function isJsonLog({ format }: Pick<LogSettings, 'format'>): boolean {
  return format === 'json' || (format === 'auto' && !process.stdout.isTTY);
}

/**
 * Creates a logger that writes to standard output. Characters that a terminal would obey are escaped, and
 * secrets are replaced with `***`. It writes either
 * JSON lines or readable lines, such as `[12:30:00] INFO: Federator[allocations][1d] …`. Kubecost's users can search
 * the readable lines with their usual grep commands.
 */
export function createLog(settings: LogSettings, to: DestinationStream = written(1)): Log {
  const { level } = settings;
  if (!isJsonLog(settings)) return readableLog(level, to, { translateTime: 'HH:MM:ss' });
  const timestamp = pino.stdTimeFunctions.isoTime;
  const formatters = { log: plainFields, level: (label: string) => ({ level: label }) };
  const visible = { write: (line: string) => to.write(visibleLines(withoutSecrets(line))) };
  return pino({ level, base: undefined, timestamp, formatters }, visible);
}

/** Creates a logger that writes readable lines without a time to standard error, for the verbs of the command line. */
export function createVerbLog(level: 'debug' | 'warn', to: DestinationStream = written(2)): Log {
  return readableLog(level, to, { ignore: 'time' });
}

/**
 * Returns a stream that writes to a file descriptor without buffering, so that the last line before an exit is not
 * lost.
 */
function written(descriptor: 1 | 2): DestinationStream {
  return pino.destination({ dest: descriptor, sync: true });
}

function readableLog(
  level: LogSettings['level'],
  to: DestinationStream,
  options: Pick<PrettyOptions, 'translateTime' | 'ignore'>,
): Log {
  const format = prettyFactory({ ...options, hideObject: true, messageFormat: readableMessage });
  return pino(
    { level, base: undefined, timestamp: pino.stdTimeFunctions.isoTime, formatters: { log: plainFields } },
    { write: (line) => to.write(format(withoutSecrets(line))) },
  );
}

/**
 * Replaces each error in a line's fields, at any depth, with text, because JSON turns an error into `{}`. The text
 * contains a stack trace only in the field `err`, which is for unexpected errors.
 */
function plainFields(fields: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, name === 'err' ? value : plain(value)]),
  );
}

function plain(value: unknown): unknown {
  if (isError(value)) return errorLine(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null || !isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]));
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/**
 * Returns the message of a readable line. Readable lines show no fields. Therefore, the fields that explain the message
 * (workflow, id of an unexpected error, code, reason and error) are appended, unless the message already contains them.
 */
function readableMessage(fields: Record<string, unknown>, messageKey: string): string {
  const { [messageKey]: said, workflowId, id, code, reason, error, err } = fields;
  const message = typeof said === 'string' ? said : '';
  const stack = (err as { stack?: unknown } | undefined)?.stack;
  const hasCause = missing(message, [reason, error, stack]).length > 0;
  const about = missing(message, [workflowId, id, hasCause ? undefined : code]);
  const why = hasCause ? missing(message, [code, reason, error, stack]) : [];
  const text = [
    message,
    about.length === 0 ? '' : ` (${about.join(', ')})`,
    why.length === 0 ? '' : `: ${why.join(': ')}`,
  ].join('');
  // Further lines, as of a stack, are indented, so that none of them looks like a separate event.
  return visibleLines(text).replace(/\n(?! {4})/g, '\n    ');
}

/** Returns those texts in `values` that are contained neither in the message nor in a later text. */
function missing(message: string, values: readonly unknown[]): string[] {
  const texts = values.filter(
    (text): text is string => typeof text === 'string' && text !== '' && !message.includes(text),
  );
  return texts.filter((text, index) => !texts.slice(index + 1).some((later) => later.includes(text)));
}

/** Logger that discards everything, for tests and for code that reports events in another way. */
export const silentLog: Log = pino({ level: 'silent' });
