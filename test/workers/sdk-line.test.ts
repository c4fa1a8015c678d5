import { FederationError } from '../../errors/federation-error';
import { asFailure } from '../../workers/as-activity';
import { SdkLines } from '../../workers/sdk-line';

const sdkLine = (...line: Parameters<SdkLines['convert']>) => new SdkLines().convert(...line);

describe('a line of the Temporal SDK', () => {
  it('has the fields of the SDK', () => {
    const fields = { error: new Error('odd'), workflowId: 'w', attempt: 2 };
    expect(sdkLine('WARN', 'said', fields)).toEqual({ level: 'warn', message: 'said', fields });
    const noise = { isLocal: false, namespace: 'n', taskToken: 'x'.repeat(200), activityId: '1' };
    expect(sdkLine('WARN', 'said', { ...noise, ...fields }).fields).toEqual(fields);
  });

  it('is of level debug if it only informs, or if a workflow reports the same with more', () => {
    expect(sdkLine('INFO', 'said')).toEqual({ level: 'debug', message: 'said', fields: {} });
    expect(sdkLine('WARN', 'Workflow failed').level).toBe('debug');
    // A failed attempt of an activity is a warning if it is retried. If not, the workflow reports the error.
    const failed = (retryable: boolean) => {
      const error = new FederationError('STORAGE_UNAVAILABLE', { detail: 'No.', retryable });
      return sdkLine('WARN', 'Activity failed', { error: asFailure(error, new AbortController().signal) })
        .level;
    };
    expect([failed(true), failed(false)]).toEqual(['warn', 'debug']);
    expect(sdkLine('WARN', 'Activity failed').level).toBe('warn');
    expect(sdkLine('ERROR', 'said').level).toBe('error');
  });

  it('is of level debug if the native part of the SDK has said the same within a minute', () => {
    const lines = new SdkLines();
    const level = (now: number, error: string, retries: number) =>
      lines.convert('WARN', `gRPC call poll retried ${retries} times`, { ...core, error }, now).level;
    const core = { sdkComponent: 'core', target: 'temporalio_client::retry' };
    expect(level(0, 'refused', 5)).toBe('warn');
    expect(level(59_999, 'refused', 6)).toBe('debug');
    expect(level(59_999, 'denied', 6)).toBe('warn');
    expect(level(60_000, 'refused', 7)).toBe('warn');
    expect(lines.convert('WARN', 'Activity failed', { error: 'refused' }, 60_001).level).toBe('warn');
  });

  it('of its native part has the error in one short line, and the original text in a field', () => {
    const refused =
      'Status { code: Unavailable, message: "tcp connect error", source: Some(tonic::transport::Error(Transport, ' +
      'hyper_util::client::legacy::Error(Connect, ConnectError("tcp connect error", 127.0.0.1:7233, ' +
      'Os { code: 111, kind: ConnectionRefused, message: "Connection refused" })))) }';
    const core = { sdkComponent: 'core', target: 'temporalio_client::retry' };
    const lines = new SdkLines();
    const said = 'gRPC call poll_activity_task_queue retried 12 times';
    expect(lines.convert('WARN', said, { ...core, error: refused }, 0)).toEqual({
      level: 'warn',
      message: said,
      fields: { ...core, error: 'Unavailable: tcp connect error: Connection refused', raw: refused },
    });
    // Some of its messages contain the error.
    const heartbeat = `Error when recording heartbeat: ${refused}`;
    const line = () => lines.convert('WARN', heartbeat, { ...core, target: 'core' }, 0);
    const message = 'Error when recording heartbeat: Unavailable: tcp connect error: Connection refused';
    expect(line()).toEqual({
      level: 'warn',
      message,
      fields: { ...core, target: 'core', raw: heartbeat },
    });
    expect(line()).toMatchObject({ level: 'debug', message });
  });

  it.each([
    ['Status { code: Cancelled, message: "", metadata: {"date": "today"} }', 'Cancelled'],
    [
      'RpcError(Status { code: Internal, message: "said \\"no\\"\\nand\\u{a0}more", source: None })',
      'Internal: said "no" and more',
    ],
    [
      `code: 'Some requested entity was not found', message: "Workflow task not found.", source: None`,
      'Some requested entity was not found: Workflow task not found.',
    ],
    ['two\nlines', 'two lines'],
    [`Status { code: Unknown, message: "${'x'.repeat(10_000)}" }`, `Unknown: ${'x'.repeat(290)}…`],
    ['x'.repeat(10_000), `${'x'.repeat(299)}…`],
  ])('of its native part is plain and short, whatever the error is: %.60j', (raw, error) => {
    const { fields } = sdkLine('WARN', 'said', { sdkComponent: 'core', error: raw });
    expect(fields).toMatchObject({ error, raw: raw.slice(0, 4_000) });
  });
});
