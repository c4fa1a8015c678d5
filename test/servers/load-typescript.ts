/** Options of Node with which a process or thread that a test starts can load TypeScript. */
export const loadTypescript: string[] = [
  '--require',
  require.resolve('../../scripts/set-up/load-typescript.cjs'),
];
