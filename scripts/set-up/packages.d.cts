/** Checks whether node_modules matches package-lock.json exactly. If it does not, `why` is a clause with the reason. */
export function checkPackages(root: string): { ready: boolean; why?: string };

/** Records in node_modules that the installation finished. Call it only after a successful installation. */
export function stampPackages(root: string): void;

/** Runs `npm ci` unless node_modules matches package-lock.json. Reports progress to `say`. */
export function ensurePackages(root: string, say?: (line: string) => void): Promise<void>;

/** An error that has a message for the user and an exit code. */
export class SetUpError extends Error {
  readonly exitCode: number;
  constructor(message: string, exitCode?: number);
}
