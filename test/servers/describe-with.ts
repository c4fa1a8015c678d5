/**
 * Defines a suite that needs a server. If the server is missing, the suite is skipped, with the reason in its name, so
 * that contributors can work without the server. In CI it fails instead, because nobody would notice that it is
 * skipped.
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
