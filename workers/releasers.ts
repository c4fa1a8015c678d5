/**
 * Releases what was acquired in reverse order at the end of the block, for `await using`. Unlike the platform's
 * `AsyncDisposableStack`, it throws the first error itself, not a `SuppressedError` around the last one.
 */
export class Releasers implements AsyncDisposable {
  readonly #releases: (() => Promise<unknown>)[] = [];

  defer(release: () => Promise<unknown>): void {
    this.#releases.push(release);
  }

  /** Releases everything, also when releasing something fails; then that error is thrown. */
  async [Symbol.asyncDispose](): Promise<void> {
    const errors: unknown[] = [];
    for (const release of this.#releases.reverse())
      await release().catch((error: unknown) => errors.push(error));
    if (errors.length > 0) throw errors[0];
  }
}
