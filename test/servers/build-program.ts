import path from 'node:path';
import { buildProgram } from '../../scripts/build/program';

// This file runs as a separate process, which program.ts starts. Its argument is the output folder.
buildProgram(path.join(__dirname, '../..'), process.argv[2] ?? '').catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
