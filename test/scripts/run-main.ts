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

/** Runs a command line in this process, without colours. Returns its output and its exit code. */
export async function runMain(...argv: string[]): Promise<Answer> {
  const written = { out: '', err: '' };
  const spies = [
    jest.spyOn(process.stdout, 'write').mockImplementation((text) => ((written.out += String(text)), true)),
    jest.spyOn(process.stderr, 'write').mockImplementation((text) => ((written.err += String(text)), true)),
  ];
  const { NO_COLOR, FORCE_COLOR } = process.env;
  process.env.NO_COLOR = '1';
  delete process.env.FORCE_COLOR;
  const before = process.exitCode;
  process.exitCode = undefined;
  try {
    await main(argv);
    return { status: Number(process.exitCode ?? 0), ...written };
  } finally {
    process.exitCode = before;
    restore({ NO_COLOR, FORCE_COLOR });
    for (const spy of spies) spy.mockRestore();
  }
}

function restore(variables: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(variables))
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
}
