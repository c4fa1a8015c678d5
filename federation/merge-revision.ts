/**
 * Revision of the code that reads and merges files. It must be raised whenever a change to this code changes the bytes
 * of merged windows. The revision is part of every fingerprint and of every generation: after it has been raised, every
 * window is merged again, and every quarantined source is looked at again.
 */
export const mergeRevision = 1;
