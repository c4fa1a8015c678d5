/**
 * How many files a push or a pull works on at once. A store takes some tens of milliseconds to answer, however small the
 * file is: what keeps a link busy with small files is their number, with large ones the budget.
 */
export const transfersAtOnce = 32;
