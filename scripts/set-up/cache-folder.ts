import os from 'node:os';
import path from 'node:path';

/**
 * Returns the project's folder within the user's cache folder. It holds programs that are built or downloaded only once
 * and shared by all checkouts. Users can delete it at any time.
 */
export function cacheFolder(
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  return path.join(userCacheFolder(env, platform), 'federated-etl');
}

function userCacheFolder(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string {
  // The XDG specification requires programs to ignore relative paths.
  if (env['XDG_CACHE_HOME'] && path.isAbsolute(env['XDG_CACHE_HOME'])) return env['XDG_CACHE_HOME'];
  const home = env['HOME'] || os.homedir();
  if (platform === 'darwin') return path.join(home, 'Library', 'Caches');
  if (platform === 'win32') return env['LOCALAPPDATA'] || path.join(home, 'AppData', 'Local');
  return path.join(home, '.cache');
}
