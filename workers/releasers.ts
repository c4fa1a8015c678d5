/**
 * Releases acquired resources in reverse order at the end of an `await using` block. Unlike the platform's
 * `AsyncDisposableStack`, it throws the first error itself, not a `SuppressedError` around the last one.
 */
export class Releasers implements AsyncDisposable {
  readonly #releases: (() => Promise<unknown>)[] = [];

  defer(release: () => Promise<unknown>): void {
    this.#releases.push(release);
  }

  /** Releases everything even if a release fails, then throws the first error. */
  async [Symbol.asyncDispose](): Promise<void> {
    const errors: unknown[] = [];
    for (const release of this.#releases.reverse())
      await release().catch((error: unknown) => errors.push(error));
    if (errors.length > 0) throw errors[0];
  }
}
