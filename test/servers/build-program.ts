import { copyFile } from 'node:fs/promises';
import path from 'node:path';
import { buildProgram } from '../../scripts/build/program';

// This file runs as a separate process, which program.ts starts. Its argument is the output folder.
const root = path.join(__dirname, '../..');
const folder = process.argv[2] ?? '';

buildProgram(root, folder)
  // The program reads its version from package.json.
  .then(() => copyFile(path.join(root, 'package.json'), path.join(folder, 'package.json')))
  .catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  });
