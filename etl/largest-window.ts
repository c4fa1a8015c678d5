/**
 * Maximal size in bytes of a window's file. Larger files are not read, because a splice stores positions in 32 bits. No
 * window of a known federation comes close to this size.
 */
export const largestWindow = 2 ** 31;
