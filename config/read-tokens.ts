import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { keepSecret } from '../errors/secrets';
import type { Fault } from './values';

/** A token with which a client may read the API, but change nothing. */
export interface ReadToken {
  /** Name of the token's file. The log names the token by it. */
  readonly name: string;
  readonly token: string;
}

const setting = 'api.readTokensPath';

/**
 * Reads the read tokens from a folder with one file per token. Skips files whose names begin with a dot, because
 * Kubernetes adds such files to a mounted secret. Adds a fault for each file without a usable token; a fault never
 * contains a token.
 */
export function readReadTokens(
  folder: string,
  operatorToken: string | undefined,
  faults: Fault[],
): readonly ReadToken[] {
  const refuse = (what: string) => faults.push({ setting, detail: `${what} (${setting}).` });
  const names = listFolder(folder, refuse);
  const tokens: ReadToken[] = [];
  for (const name of names) {
    if (!/^[\w.-]{1,100}$/.test(name)) {
      refuse(`${JSON.stringify(name)} in ${folder} cannot name a token: use letters, digits, -, _ and .`);
      continue;
    }
    const token = readToken(join(folder, name), refuse);
    if (token === undefined) continue;
    const same = tokens.find((one) => one.token === token);
    if (same !== undefined)
      refuse(`The read tokens ${same.name} and ${name} are the same: make one for each client`);
    if (token === operatorToken) refuse(`The read token ${name} is the operator token: make another one`);
    tokens.push({ name, token });
  }
  return tokens;
}

function listFolder(folder: string, refuse: (what: string) => void): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => !name.startsWith('.'))
      .sort();
  } catch (error) {
    refuse(`The folder of the read tokens ${folder} cannot be read: ${codeOf(error)}`);
    return [];
  }
}

function readToken(file: string, refuse: (what: string) => void): string | undefined {
  try {
    const token = readFileSync(file, 'utf8').trim();
    keepSecret(token);
    if (/^[\x21-\x7e]+$/.test(token)) return token;
    refuse(`${file} has no token: it takes one line of ASCII characters without blanks`);
  } catch (error) {
    refuse(`The read token ${file} cannot be read: ${codeOf(error)}`);
  }
  return undefined;
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown';
}
