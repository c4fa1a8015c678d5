import { FederationError } from '../errors/federation-error';

/** The file ends too early. `byte` is where more was expected. */
export function truncated(byte: number, detail: string): FederationError {
  return new FederationError('ETL_TRUNCATED', { subject: { byte }, detail });
}

/** The bytes at `byte` contradict the format. */
export function corrupt(byte: number, detail: string, cause?: unknown): FederationError {
  return new FederationError('ETL_CORRUPT', { subject: { byte }, detail, cause });
}

/** The structure at `byte` has a codec version below the oldest supported one. */
export function tooOld(byte: number, detail: string): FederationError {
  return new FederationError('ETL_TOO_OLD', { subject: { byte }, detail });
}

/** The structure at `byte` has a codec version above the newest known one. */
export function tooNew(byte: number, detail: string): FederationError {
  return new FederationError('ETL_TOO_NEW', { subject: { byte }, detail });
}
