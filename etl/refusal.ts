import { FederationError } from '../errors/federation-error';

/** Makes the error for a file that ends too early. `byte` is the position where more bytes were expected. */
export function truncated(byte: number, detail: string): FederationError {
  return new FederationError('ETL_TRUNCATED', { subject: { byte }, detail });
}

/** Makes the error for bytes at `byte` that contradict the format. */
export function corrupt(byte: number, detail: string, cause?: unknown): FederationError {
  return new FederationError('ETL_CORRUPT', { subject: { byte }, detail, cause });
}

/** Makes the error for a structure at `byte` whose codec version is below the oldest supported one. */
export function tooOld(byte: number, detail: string): FederationError {
  return new FederationError('ETL_TOO_OLD', { subject: { byte }, detail });
}

/** Makes the error for a structure at `byte` whose codec version is above the newest known one. */
export function tooNew(byte: number, detail: string): FederationError {
  return new FederationError('ETL_TOO_NEW', { subject: { byte }, detail });
}
