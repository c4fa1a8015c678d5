import type {
  ConnectionOptions,
  defaultGrpcRetryOptions,
  makeGrpcRetryInterceptor,
} from '@temporalio/client';
import { describeError } from '../errors/federation-error';

type Interceptor = NonNullable<ConnectionOptions['interceptors']>[number];
type Call = ReturnType<Interceptor>;

/**
 * The parts of the SDK that this module uses. The caller passes them, because the SDK is slow to load, and is loaded
 * only if it is used.
 */
interface Sdk {
  readonly makeGrpcRetryInterceptor: typeof makeGrpcRetryInterceptor;
  readonly defaultGrpcRetryOptions: typeof defaultGrpcRetryOptions;
}

/** The gRPC status code of a cancelled call. */
const cancelled = 1;
/** The gRPC status code of a call that the server refuses because there are too many requests. */
const throttled = 8;

/**
 * Returns interceptors with which the SDK retries calls, as it does by default, but not after the connection has been
 * closed. A verb or a worker that no longer waits for an answer may close the connection while the SDK is still about
 * to retry. By default, this retry would throw an error that nothing can catch, and the process would crash.
 *
 * `throttledAttempts` is the maximum number of attempts of a call that the server refuses because there are too many
 * requests. (Default: the same as after other errors) Set a low number if a person is waiting, so that the person soon
 * sees the reason.
 */
export function guardedRetries(sdk: Sdk, throttledAttempts = Number.POSITIVE_INFINITY): Interceptor[] {
  const { delayFunction, retryableDecider } = sdk.defaultGrpcRetryOptions();
  const retries = sdk.makeGrpcRetryInterceptor({
    delayFunction,
    retryableDecider: (attempt, status) =>
      (Number(status.code) !== throttled || attempt < throttledAttempts) && retryableDecider(attempt, status),
  });
  return [retries, cancelIfClosed];
}

const cancelIfClosed: Interceptor = (options, nextCall) => {
  try {
    return nextCall(options) as Call;
  } catch (error) {
    return endedCall(describeError(error)) as Call;
  }
};

/** Returns a call that ends as soon as it is started. */
function endedCall(details: string): Pick<Call, 'start' | 'sendMessage' | 'halfClose' | 'cancelWithStatus'> {
  return {
    start: (metadata, listener) => listener?.onReceiveStatus?.({ code: cancelled, details, metadata }),
    sendMessage: () => undefined,
    halfClose: () => undefined,
    cancelWithStatus: () => undefined,
  };
}
