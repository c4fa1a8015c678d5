/**
 * Collects functions that release resources, and calls them in reverse order at the end of an `await using` block. If
 * several fail, throws the first error. (The standard `AsyncDisposableStack` would throw a `SuppressedError` instead.)
 */
export class Releasers implements AsyncDisposable {
  readonly #releases: (() => Promise<unknown>)[] = [];

  defer(release: () => Promise<unknown>): void {
    this.#releases.push(release);
  }

  /** Calls all release functions, even if some of them fail, then throws the first error. */
  async [Symbol.asyncDispose](): Promise<void> {
    const errors: unknown[] = [];
    for (const release of this.#releases.reverse())
      await release().catch((error: unknown) => errors.push(error));
    if (errors.length > 0) throw errors[0];
  }
}
