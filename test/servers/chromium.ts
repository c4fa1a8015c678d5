import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

/** Names of Chromium's executable in Debian, in systems based on Debian, and in Google's packages. */
const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const variable = 'CHROMIUM_PATH';
const installWithinMs = 300_000;

/** Path of Chromium's executable, or the reason why it cannot be found. */
export type Chromium = { readonly path: string } | { readonly path?: undefined; readonly reason: string };

/**
 * Looks for Chromium at CHROMIUM_PATH and on the PATH. If it is not there, tries to install Debian's package, but only
 * in CI and as root.
 */
export function findChromium(): Chromium {
  const chosen = process.env[variable];
  if (chosen !== undefined && chosen !== '') {
    return existsSync(chosen)
      ? { path: chosen }
      : { reason: `${variable} is ${chosen}, and there is nothing.` };
  }
  const found = onPath();
  if (found !== undefined) return { path: found };
  const why = installPackage();
  const installed = onPath();
  return installed === undefined
    ? { reason: `Chromium is needed for the tests of the page: ${why}. Install it, or set ${variable}.` }
    : { path: installed };
}

function onPath(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter);
  return folders
    .flatMap((folder) => names.map((name) => path.join(folder, name)))
    .find((file) => existsSync(file));
}

function installPackage(): string {
  if (process.getuid?.() !== 0) return 'it is not on the PATH, and only root can install it';
  if (process.env['CI'] === undefined) return 'it is not on the PATH';
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  try {
    execFileSync('apt-get', ['update', '-q'], { env, stdio: 'ignore', timeout: installWithinMs });
    execFileSync('apt-get', ['install', '-qy', '--no-install-recommends', 'chromium', 'fonts-dejavu-core'], {
      env,
      stdio: 'ignore',
      timeout: installWithinMs,
    });
    return 'it was installed and cannot be found';
  } catch (error) {
    return `apt-get could not install it: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`;
  }
}
