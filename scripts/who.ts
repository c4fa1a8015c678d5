import { hostname, userInfo } from 'node:os';

/**
 * Returns who is using the command line, as `name@host`. Generations and runs record this as the author of a decision.
 */
export function whoAmI(): string {
  return `${userName()}@${hostname()}`;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // In a container, the user id may not belong to any named user.
    return `uid-${process.getuid?.() ?? 'unknown'}`;
  }
}
