import { runInNewContext } from 'node:vm';
import { ApplicationFailure } from '@temporalio/common';
import { sdkLine } from '../../workers/sdk-line';

describe('a line of the Temporal SDK', () => {
  it('has its errors as text, with their code', () => {
    const error = ApplicationFailure.create({ type: 'STORAGE_UNAVAILABLE', message: 'No answer.' });
    const other = runInNewContext('new TypeError("from a workflow")') as Error;
    expect(sdkLine('WARN', 'said', { error, other, workflowId: 'w' })).toEqual({
      level: 'warn',
      fields: { error: 'STORAGE_UNAVAILABLE: No answer.', other: 'from a workflow', workflowId: 'w' },
    });
  });

  it('is of level debug if it only informs, or if a workflow reports the same with more', () => {
    expect(sdkLine('INFO', 'said')).toEqual({ level: 'debug', fields: {} });
    expect(sdkLine('WARN', 'Workflow failed').level).toBe('debug');
    // Each failed attempt of an activity must be logged as a warning. It is not an error, because it will be retried.
    expect(sdkLine('WARN', 'Activity failed').level).toBe('warn');
    expect(sdkLine('ERROR', 'said').level).toBe('error');
  });
});
