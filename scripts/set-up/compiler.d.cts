import type { BuildOptions } from 'esbuild';

/** How esbuild compiles a source, in a checkout and for the image. */
export const compilerOptions: Pick<
  BuildOptions,
  'format' | 'platform' | 'target' | 'supported' | 'tsconfigRaw'
>;

/** Returns the program's TypeScript files below `root`, such as `etl/window.ts`. */
export function sourcesOf(root: string): string[];
