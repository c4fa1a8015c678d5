/**
 * Raised whenever reading or merging changes what comes out. It is part of every fingerprint and of every generation:
 * raising it merges every window again, and looks again at every source that was refused.
 */
export const mergeRevision = 1;
