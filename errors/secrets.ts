/**
 * The secrets that this process has read, so that no message shows one. A message may quote a secret that somebody else
 * put into it, such as a store's answer or the text of an SDK's error. So every error and every line of the log passes
 * through `withoutSecrets`, and whatever reads a secret passes it to `keepSecret`.
 */

/** The secrets in the order in which they were last read, each with the forms in which it is hidden. */
const kept = new Map<string, readonly string[]>();
/** Matches all forms in `kept`; undefined until it is needed. */
let keptPattern: RegExp | undefined;

/** Minimum length of a secret. Shorter ones may be ordinary words, and anybody could guess them. */
const shortest = 8;
/** Number of characters in all forms together. Tokens that are renewed for years must not fill the memory. */
const mostCharacters = 500_000;

/**
 * Remembers a secret, so that `withoutSecrets` removes it from texts: as it is, in a URL, in JSON and in base64. In a
 * secret of several lines, such as a private key, each line counts. Ignores texts of fewer than eight characters. If
 * there are too many secrets, forgets those that have not been read for the longest time.
 */
export function keepSecret(secret: string | undefined): void {
  // The text of a JSON key has `\n` in place of line breaks.
  for (const line of (secret ?? '').split(/\r?\n|\\n/)) {
    const text = line.trim();
    // The secret of an `authorization` header follows the name of its scheme.
    for (const one of new Set([text, text.replace(/^(?:Bearer|Basic) +/i, '')]))
      if (one.length >= shortest && !one.startsWith('-----')) keep(one);
  }
}

function keep(text: string): void {
  const forms = kept.get(text) ?? formsOf(text);
  if (!kept.delete(text)) keptPattern = undefined;
  kept.set(text, forms);
  let characters = sum([...kept.values()].map(lengthOf));
  for (const [oldest, of] of kept) {
    if (characters <= mostCharacters || oldest === text) break;
    kept.delete(oldest);
    characters -= lengthOf(of);
    keptPattern = undefined;
  }
}

/** Remembers all texts in a value that was given as a secret, whatever its type. */
export function keepSecretsIn(value: unknown): void {
  for (const text of textsIn(value)) keepSecret(text);
}

/**
 * Remembers the passwords of all URLs in a value. A message may show a part of a URL, so that it does not look like one
 * any more.
 */
export function keepPasswordsIn(value: unknown): void {
  for (const text of textsIn(value))
    for (const [, user = '', password = ''] of text.matchAll(/:\/\/([^\s/?#@:]*):([^\s@]+)@/g)) {
      const plain = [user, password].map(decoded);
      // Clients send user and password together, in base64.
      for (const secret of [password, plain[1], plain.join(':')]) keepSecret(secret);
    }
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value === 'number') return [String(value)];
  if (value instanceof Uint8Array) return [Buffer.from(value).toString()];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * What a secret looks like that this process has not read itself, each with what replaces it. None of them matches a
 * quotation mark, and only the last one matches a backslash, so that JSON stays JSON. The lengths are limited, so that
 * the time does not grow with the square of the text's length.
 */
const shapes: readonly (readonly [RegExp, string])[] = [
  // User and password of a URL. A password may have a slash in it, but so has what follows a port.
  [
    /(\b[a-z][a-z0-9+.-]{0,20}:\/\/)(?:[^\s/?#"'<>@\\]{0,500}|[^\s/?#"'<>@:[\\]{0,100}:(?!\d*[/?#])[^\s"'<>@\\]{0,500})@/gi,
    '$1***@',
  ],
  // The same without a scheme, before a host and a port. The digest of an image looks similar.
  [
    /(?<![^\s"'(=])[^\s"'/:@=()\\]{1,100}:[^\s"'/@\\]{1,500}@(?!sha256:)(?=(?:[\w.-]{1,255}|\[[\da-f:.]{1,50}\]):\d)/gi,
    '***@',
  ],
  // The signature of a signed URL, and the parts of a connection string.
  [
    /\b(sig|X-Amz-Signature|X-Amz-Security-Token|X-Goog-Signature|access_token|refresh_token|client_secret)(=|%3D)[^&\s"'<>\\]+/gi,
    '$1$2***',
  ],
  [/\b(AccountKey|SharedAccessSignature)=[^;\s"'<>\\]+/gi, '$1=***'],
  [/\bBearer [\w.~+/=-]{16,}/gi, 'Bearer ***'],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----(?:[^"\\]|\\[^"])*?(?:-----END [A-Z ]*-----|(?=\\?")|$)/g, '***'],
];

/** Replaces each secret in a text with `***`: those that were passed to `keepSecret`, and what looks like one. */
export function withoutSecrets(text: string): string {
  keptPattern ??= patternOf([...kept.values()].flat());
  let clean = kept.size === 0 ? text : text.replace(keptPattern, '***');
  for (const [shape, replacement] of shapes) clean = clean.replace(shape, replacement);
  return clean;
}

function patternOf(texts: readonly string[]): RegExp {
  // Longer ones first: a form may begin another one.
  const sorted = [...texts].sort((a, b) => b.length - a.length);
  return new RegExp(sorted.map((text) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|'), 'g');
}

function lengthOf(forms: readonly string[]): number {
  return sum(forms.map(({ length }) => length));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

function formsOf(text: string): string[] {
  const coded = base64Forms(text);
  const url = encodeURIComponent(text.toWellFormed());
  const forms = [
    text,
    JSON.stringify(text).slice(1, -1),
    ...[url, url.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())],
    ...coded,
    ...coded.map((form) => form.replaceAll('+', '-').replaceAll('/', '_')),
  ];
  return [...new Set(forms)];
}

/**
 * Returns how a text appears within something longer that is written in base64, such as `user:password`. That depends
 * on how many bytes are before it: 0, 1 or 2, modulo 3. Characters that depend on the neighbours are omitted.
 */
function base64Forms(text: string): string[] {
  return [0, 1, 2].map((before) => {
    const bytes = Buffer.from(`${' '.repeat(before)}${text}`);
    const own = Math.floor((bytes.length * 8) / 6);
    return bytes.toString('base64').slice(Math.ceil((before * 8) / 6), own);
  });
}
