/**
 * To be raised whenever a change of reading or merging changes merged bytes. It is part of every fingerprint and of
 * every generation: raising it merges every window again, and looks at every quarantined source again.
 */
export const mergeRevision = 1;
