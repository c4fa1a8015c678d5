// Keep the extension `.ts`. Without it, jest would load federated-etl.cjs, which runs a command line as soon as it is
// loaded.
const { main } = jest.requireActual<typeof import('../../scripts/federated-etl')>(
  '../../scripts/federated-etl.ts',
);

export interface Answer {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in this process. Returns its output and its exit code. */
export async function runMain(...argv: string[]): Promise<Answer> {
  const written = { out: '', err: '' };
  const spies = [
    jest.spyOn(process.stdout, 'write').mockImplementation((text) => ((written.out += String(text)), true)),
    jest.spyOn(process.stderr, 'write').mockImplementation((text) => ((written.err += String(text)), true)),
  ];
  const before = process.exitCode;
  process.exitCode = undefined;
  try {
    await main(argv);
    return { status: Number(process.exitCode ?? 0), ...written };
  } finally {
    process.exitCode = before;
    for (const spy of spies) spy.mockRestore();
  }
}
