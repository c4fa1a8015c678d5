/**
 * Number of files that a push or pull handles at once. A store takes tens of milliseconds to respond, even for a small
 * file, so small files keep the link busy only if many are transferred at once. With large files, the memory budget
 * allows fewer.
 */
export const transfersAtOnce = 32;
