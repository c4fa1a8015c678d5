import { inspect } from 'node:util';

/** A secret string. Logs, JSON and `util.inspect` show `***` in its place. Only `reveal` returns the string. */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return '***';
  }

  toJSON(): string {
    return '***';
  }

  [inspect.custom](): string {
    return '***';
  }
}

/** Replaces secrets in a string with `***`. Messages from a store may contain secrets. Ignores empty secrets. */
export function redact(text: string, secrets: readonly (string | undefined)[]): string {
  return secrets.reduce<string>((clean, secret) => (secret ? clean.replaceAll(secret, '***') : clean), text);
}
