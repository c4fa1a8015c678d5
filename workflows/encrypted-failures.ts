import { DefaultFailureConverter } from '@temporalio/common';
import { keyErrorIn } from '../errors/key-errors';

/**
 * Puts the message and the stack trace of a failure into a payload, so that the payload codec encrypts them. The message
 * of a failure to decrypt stays readable: it names only the id of a key, and its reader may lack that key.
 */
class EncryptedFailures extends DefaultFailureConverter {
  constructor() {
    super({ encodeCommonAttributes: true });
  }

  override errorToFailure(...[error, ...others]: Parameters<DefaultFailureConverter['errorToFailure']>) {
    const failure = super.errorToFailure(error, ...others);
    const message = error instanceof Error ? keyErrorIn(error.message) && error.message : undefined;
    return message === undefined ? failure : { ...failure, message, encodedAttributes: undefined };
  }
}

/** Temporal's SDK loads this module by its path if payloads are encrypted, and uses this converter. */
export const failureConverter = new EncryptedFailures();
