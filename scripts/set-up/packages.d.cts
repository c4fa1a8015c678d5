/** Whether node_modules holds exactly what package-lock.json says, or in one clause why not. */
export function checkPackages(root: string): { ready: boolean; why?: string };

/** Notes in node_modules that the installation finished. Only an installation that ended well may call it. */
export function stampPackages(root: string): void;

/** Makes node_modules what package-lock.json says, by `npm ci` where it is not. Says what it does. */
export function ensurePackages(root: string, say?: (line: string) => void): Promise<void>;

/** What a person is told, and the exit code to end with. */
export class SetUpError extends Error {
  readonly exitCode: number;
  constructor(message: string, exitCode?: number);
}
