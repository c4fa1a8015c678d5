import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/**
 * Creates a temporary folder before each test, and deletes it after the test. Returns a function that returns the
 * folder's path. Call this at the top of a suite.
 */
export function scratchFolder(): () => string {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'federated-etl-set-up-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return () => folder;
}

/** Writes a file. Creates its parent folders if necessary. */
export function write(file: string, content: string): string {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
}

/** Writes an executable shell script with these lines. */
export function program(file: string, ...lines: string[]): string {
  write(file, ['#!/bin/sh', ...lines, ''].join('\n'));
  chmodSync(file, 0o755);
  return file;
}

/** Lines of a shell script that pretends to be the Temporal CLI. */
export const temporalLines = [
  'case "$*" in',
  '  --version) echo "temporal version 1.5.1" ;;',
  '  *--help*) echo "--db-filename --search-attribute --sqlite-pragma" ;;',
  'esac',
];
