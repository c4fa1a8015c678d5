/**
 * Limit for reading the file of a window, in bytes: positions in a splice have 32 bits. No window of a known federation
 * comes near it.
 */
export const largestWindow = 2 ** 31;
