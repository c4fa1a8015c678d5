/**
 * Number of files that a push or pull handles concurrently. A store takes tens of milliseconds to respond, even for a
 * small file. Transferring many small files at once is therefore needed to use the whole bandwidth. With large files,
 * the memory budget allows fewer.
 */
export const transfersAtOnce = 32;
