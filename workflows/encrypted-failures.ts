import { DefaultFailureConverter } from '@temporalio/common';

/**
 * Puts the message and the stack trace of a failure into a payload, so that the payload codec encrypts them. Temporal's
 * SDK loads this module by its path if payloads are encrypted.
 */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
