/**
 * Defines a suite that needs a server. `reason` says why the server is missing; it is undefined if the server is
 * available. If the server is missing, the suite is skipped and its name shows the reason, so that contributors can
 * still run the other tests. In CI, the suite fails instead, because nobody would notice that it was skipped.
 */
export function describeWith(reason: string | undefined, name: string, suite: () => void): void {
  if (reason === undefined) {
    describe(name, suite);
  } else if (inCi()) {
    describe(name, () => {
      test('has the server that it needs', () => {
        throw new Error(reason);
      });
    });
  } else {
    const [firstLine] = reason.split('\n');
    describe.skip(`${name} (skipped: ${firstLine})`, suite);
  }
}

function inCi(): boolean {
  return !['', '0', 'false'].includes(process.env['CI'] ?? '');
}
