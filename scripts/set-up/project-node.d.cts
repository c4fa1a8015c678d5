/**
 * Whether a Node of this version, such as `24.21.0`, can run the program. The default is the version of the running
 * Node.
 */
export function isNewEnough(version?: string): boolean;
