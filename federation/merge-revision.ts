/**
 * Revision of the code that reads and merges files. Raise it whenever a change to that code changes the bytes of merged
 * windows. The revision is part of every fingerprint and generation. So after it is raised, every window is merged
 * again, and every quarantined source is read again.
 */
export const mergeRevision = 1;
