import { runInNewContext } from 'node:vm';
import { ApplicationFailure } from '@temporalio/common';
import type { DestinationStream } from 'pino';
import { createLog, createVerbLog } from '../../config/log';
import { FederationError } from '../../errors/federation-error';

class Lines implements DestinationStream {
  readonly written: string[] = [];
  write(line: string): void {
    this.written.push(line);
  }
}

/** Returns the line that `work` writes to a log. It must be only one line. */
function lineOf(format: 'json' | 'pretty', work: (log: ReturnType<typeof createLog>) => void): string {
  const lines = new Lines();
  work(createLog({ level: 'debug', format }, lines));
  expect(lines.written).toHaveLength(1);
  return lines.written[0] ?? '';
}

const refused = new FederationError('STORAGE_ACCESS_DENIED', { detail: 'The key is unknown.' });
const failure = ApplicationFailure.create({ type: 'STORAGE_UNAVAILABLE', message: 'No answer.' });

describe('an error in a line of the log', () => {
  it.each<[string, unknown, string]>([
    ['of ours', refused, 'STORAGE_ACCESS_DENIED: The key is unknown.'],
    ['of Temporal', failure, 'STORAGE_UNAVAILABLE: No answer.'],
    [
      'with causes',
      new Error('Sending failed', { cause: refused }),
      `Sending failed: ${refused.code}: ${refused.detail}`,
    ],
    ['from a workflow', runInNewContext('new TypeError("odd")'), 'odd'],
    [
      'of several addresses',
      new AggregateError([new Error('refused ::1'), new Error('refused 127.0.0.1')]),
      'refused ::1, refused 127.0.0.1',
    ],
    ['without a message', new RangeError(), 'RangeError'],
  ])('keeps its message under any name and at any depth: an error %s', (_, error, text) => {
    const fields = { event: 'x', whatever: error, list: [{ inner: error }] };
    const line: unknown = JSON.parse(lineOf('json', (log) => log.warn(fields, 'said')));
    expect(line).toMatchObject({ level: 'warn', msg: 'said', whatever: text, list: [{ inner: text }] });
  });

  it('keeps its stack trace as err, which is for errors that nobody expected', () => {
    const error = new TypeError('odd');
    const json = lineOf('json', (log) => log.error({ err: error }, 'GET / failed'));
    expect(JSON.parse(json)).toMatchObject({
      err: { type: 'TypeError', message: 'odd', stack: error.stack },
    });
    const pretty = lineOf('pretty', (log) => log.error({ err: error, id: 'id-1' }, 'GET / failed'));
    expect(pretty).toContain('GET / failed (id-1): TypeError: odd\n    at ');
  });
});

describe('a readable line', () => {
  it.each<[string, object, string, string]>([
    ['code and reason', { code: 'X_Y', reason: 'Why.' }, 'push failed', 'push failed: X_Y: Why.'],
    [
      'the workflow and the error',
      { workflowId: 'push/c', error: failure },
      'Activity failed',
      'Activity failed (push/c): STORAGE_UNAVAILABLE: No answer.',
    ],
    [
      'nothing that the message says',
      { code: 'X_Y', reason: 'Why.' },
      'It failed: X_Y: Why.',
      'It failed: X_Y: Why.',
    ],
    [
      'the code once',
      { code: 'STORAGE_UNAVAILABLE', error: failure },
      'failed',
      'failed: STORAGE_UNAVAILABLE: No answer.',
    ],
    ['a code without a reason at the end', { code: 'X_Y' }, 'It is full.', 'It is full. (X_Y)'],
    ['no other field', { cluster: 'c', files: 3 }, 'pushed', 'pushed'],
  ])('adds to its message %s', (_, fields, message, line) => {
    const written = lineOf('pretty', (log) => log.warn(fields, message));
    expect(written.replace(/^\[\d\d:\d\d:\d\d\] /, '')).toBe(`WARN: ${line}\n`);
  });

  it('of a verb has no time', () => {
    const lines = new Lines();
    createVerbLog('warn', lines).warn({ code: 'X_Y', reason: 'Why.' }, 'Closing failed');
    expect(lines.written).toEqual(['WARN: Closing failed: X_Y: Why.\n']);
  });
});

it.each(['json', 'pretty'] as const)('escapes in a %s line what a terminal would obey', (format) => {
  const hostile = '\u001b[31mRED\u001b]0;pwn\u0007\u009b2J\u202e\u2028';
  const line = lineOf(format, (log) =>
    log
      .child({ clusterId: hostile })
      .warn({ event: 'x', reason: hostile, error: new Error(hostile) }, hostile),
  );
  // The level has a colour at a terminal.
  const own = line.replace(/^\[[\d:]+\] \S+/, '').trimEnd();
  expect(own).not.toMatch(/[\p{Cc}\u2028\u202e]/u);
  expect(own).toContain('RED');
});

it.each(['\n', '\n ', '\n\n', '\n   \n  '])(
  'indents further lines of a readable message after %j, so that none looks like an event',
  (between) => {
    const line = lineOf('pretty', (log) => log.warn({ event: 'x' }, `a${between}[12:00:00] INFO: forged`));
    expect(line.trimEnd().split('\n').slice(1)).not.toHaveLength(0);
    for (const further of line.trimEnd().split('\n').slice(1)) expect(further).toMatch(/^ {4}/);
  },
);
