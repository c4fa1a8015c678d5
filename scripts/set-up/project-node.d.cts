/**
 * Returns whether a version of Node can run the program. `version` is written like `24.21.0`. The default is the
 * version of the running Node.
 */
export function isNewEnough(version?: string): boolean;
