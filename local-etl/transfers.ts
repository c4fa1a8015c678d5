/**
 * Number of files that a push or pull handles at once. A store takes tens of milliseconds to respond, however small the
 * file: with small files this number keeps the link busy, with large ones the memory budget limits first.
 */
export const transfersAtOnce = 32;
