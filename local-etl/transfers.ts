/**
 * How many files a push or a pull works on at once. A store takes some tens of milliseconds to answer, however small the
 * file is: what keeps a link busy with small files is their number, with large ones the budget.
 */
export const transfersAtOnce = 32;

/**
 * The bytes that all pushes and pulls of a process may have under way at once. They are in memory, or would have to be
 * fetched again after a cut.
 */
export interface TransferBudget {
  /** Waits for room, works, and gives the room back. What is larger than the budget goes alone. */
  within<Result>(bytes: number, signal: AbortSignal, work: () => Promise<Result>): Promise<Result>;
}
