import { FederationError } from '../errors/federation-error';

/** Returns the error for a file that ends too early. `byte` is the position where more bytes were expected. */
export function truncated(byte: number, detail: string): FederationError {
  return new FederationError('ETL_TRUNCATED', { subject: { byte }, detail });
}

/** Returns the error for bytes that violate the format. `byte` is the position of these bytes. */
export function corrupt(byte: number, detail: string, cause?: unknown): FederationError {
  return new FederationError('ETL_CORRUPT', { subject: { byte }, detail, cause });
}

/**
 * Returns the error for a structure whose codec version is below the supported range. `byte` is the position of the
 * version.
 */
export function tooOld(byte: number, detail: string): FederationError {
  return new FederationError('ETL_TOO_OLD', { subject: { byte }, detail });
}

/**
 * Returns the error for a structure whose codec version is above the supported range. `byte` is the position of the
 * version.
 */
export function tooNew(byte: number, detail: string): FederationError {
  return new FederationError('ETL_TOO_NEW', { subject: { byte }, detail });
}

/** Returns the error for a gzipped file of `packed` bytes that unpacks to more than `limit` bytes. */
export function tooLarge(packed: number, limit: number): FederationError {
  return new FederationError('ETL_TOO_LARGE', {
    subject: { byte: 0 },
    detail: `The gzip file of ${packed} bytes unpacks to more than ${limit} bytes, the limit here.`,
  });
}
