/**
 * Number of files that a push or pull handles at once. A store takes tens of milliseconds to respond, however small the
 * file. With small files, this number keeps the link busy; with large files, the memory budget is the lower limit.
 */
export const transfersAtOnce = 32;
