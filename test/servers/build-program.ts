import path from 'node:path';
import { buildProgram } from '../../scripts/build/program';

// Run by program.ts as a separate process, with the folder to build into as argument.
buildProgram(path.join(__dirname, '../..'), process.argv[2] ?? '').catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
