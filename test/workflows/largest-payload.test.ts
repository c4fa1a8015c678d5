import { defaultPayloadConverter } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import { historyFromJson, historyToJson } from './history-json';
import { largestPayload } from './largest-payload';

const { History } = temporal.api.history.v1;
const toPayload = (value: unknown) => defaultPayloadConverter.toPayload(value);
const large = { bytes: 'x'.repeat(200_000) };

/** Returns a history of two events: the first event has a small payload, and the second one is `event`. */
const historyOf = (event: temporal.api.history.v1.IHistoryEvent) =>
  History.fromObject({
    events: [
      { eventId: 1, workflowExecutionStartedEventAttributes: { input: { payloads: [toPayload('small')] } } },
      { eventId: 2, ...event },
    ],
  });

describe('the largest payload of a history', () => {
  it.each<[string, temporal.api.history.v1.IHistoryEvent]>([
    ['a result', { activityTaskCompletedEventAttributes: { result: { payloads: [toPayload(large)] } } }],
    ['a signal', { workflowExecutionSignaledEventAttributes: { input: { payloads: [toPayload(large)] } } }],
    [
      'a memo',
      { workflowExecutionStartedEventAttributes: { memo: { fields: { large: toPayload(large) } } } },
    ],
    ['a summary', { userMetadata: { summary: toPayload(large) } }],
    [
      'the details of a failure',
      {
        activityTaskFailedEventAttributes: {
          failure: { applicationFailureInfo: { details: { payloads: [toPayload(large)] } } },
        },
      },
    ],
  ])('may be %s', (_, event) => {
    const { bytes, at } = largestPayload(historyOf(event));
    expect(bytes).toBeGreaterThan(200_000);
    expect(at).toMatch(/^2: /);
  });

  it('includes its metadata', () => {
    const { bytes, at } = largestPayload(historyOf({}));
    expect(bytes).toBeGreaterThan(Buffer.byteLength('"small"'));
    expect(at).toBe('1: workflowExecutionStartedEventAttributes.input.payloads.0');
  });

  it('is zero without payloads', () => {
    expect(largestPayload({ events: [] })).toEqual({ bytes: 0, at: '' });
  });

  it('is the same in a history that was written and read', () => {
    const history = historyOf({ userMetadata: { summary: toPayload(large) } });
    expect(largestPayload(historyFromJson(historyToJson(history)))).toEqual(largestPayload(history));
  });
});
