import path from 'node:path';
import { buildProgram } from '../../scripts/build/program';

// program.ts runs this file as a separate process. The argument is the output folder.
buildProgram(path.join(__dirname, '../..'), process.argv[2] ?? '').catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
