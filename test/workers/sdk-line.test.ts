import { SdkLines } from '../../workers/sdk-line';

const sdkLine = (...line: Parameters<SdkLines['convert']>) => new SdkLines().convert(...line);

describe('a line of the Temporal SDK', () => {
  it('has the fields of the SDK', () => {
    const fields = { error: new Error('odd'), workflowId: 'w' };
    expect(sdkLine('WARN', 'said', fields)).toEqual({ level: 'warn', fields });
  });

  it('is of level debug if it only informs, or if a workflow reports the same with more', () => {
    expect(sdkLine('INFO', 'said')).toEqual({ level: 'debug', fields: {} });
    expect(sdkLine('WARN', 'Workflow failed').level).toBe('debug');
    // Each failed attempt of an activity must be logged as a warning. It is not an error, because it will be retried.
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
});
