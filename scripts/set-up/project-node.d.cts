/** Whether a Node of this version, such as `24.21.0`, runs the program; the running Node's version if omitted. */
export function isNewEnough(version?: string): boolean;
