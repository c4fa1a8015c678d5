import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Returns the version of this program. In a build, adds the commit: `0.1.0 (1a2b3c4)`. */
export function programVersion(): string {
  const manifest = JSON.parse(readFileSync(join(__dirname, '../package.json'), 'utf8')) as {
    readonly version: string;
    /** The build writes this field. */
    readonly gitHead?: string;
  };
  return manifest.gitHead === undefined ? manifest.version : `${manifest.version} (${manifest.gitHead})`;
}
