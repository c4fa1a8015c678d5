/**
 * Maximum size of a window's file, in bytes. Larger files are not read, because positions in a file are stored in 32
 * bits. Real files are far smaller.
 */
export const largestWindow = 2 ** 31;
