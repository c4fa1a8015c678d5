/** The options that `--wait` and `--timeout` add to a verb. */
export interface WaitOptions {
  readonly wait?: true;
  /** Aborted when the time given by `--timeout` is over. The time starts when the verb starts. */
  readonly timeout?: AbortSignal;
}
