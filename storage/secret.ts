import { inspect } from 'node:util';
import { keepSecret } from '../errors/secrets';

/**
 * A secret string. Logs, errors, JSON and `util.inspect` show `***` in its place. Only `reveal` returns the string.
 */
export class Secret {
  readonly #text: string;

  /** `parts` are the secrets in the text. (Default: all of it) */
  constructor(text: string, parts: readonly string[] = [text]) {
    this.#text = text;
    parts.forEach(keepSecret);
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
