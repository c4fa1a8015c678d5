import { z } from 'zod';
import { ownValue } from '../etl/own-value';
import { Secret } from './secret';

/** Schema of a secret setting that may contain white space, such as the JSON of a key. */
export const secretText = z.string().transform((text) => new Secret(text));

/**
 * Schema of a secret setting that must be one word, such as an access key. If it contained a line break, for example
 * from a YAML block, every request would fail.
 */
export const secretField = z
  .string()
  .regex(/^[^\s\p{Cc}]*$/u, {
    error: 'has white space or a control character in it: write it on one line, without spaces',
    abort: true,
  })
  .transform((text) => new Secret(text));

/**
 * Returns true if a secret has a value. An empty string does not count as a value, because sample files leave unused
 * settings empty.
 */
export function isSet(secret: Secret | undefined): secret is Secret {
  return secret !== undefined && secret.reveal() !== '';
}

const unitsMs: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/**
 * Parses a duration in Go or Prometheus notation (`90s`, `1m30s`, `2d`) into milliseconds. Rejects numbers without a
 * unit, because Go would read them as nanoseconds, which is never intended. Only 0 needs no unit.
 */
export const durationField = z.string('write it with its unit, like 30s').transform((text, context) => {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d|w)/g)];
  if (text === '0') return 0;
  if (text === '' || parts.map(([part]) => part).join('') !== text) {
    context.addIssue({ code: 'custom', message: 'write a duration with its units, like 90s or 1m30s' });
    return z.NEVER;
  }
  return parts.reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * (ownValue(unitsMs, unit ?? '') ?? 0),
    0,
  );
});

/**
 * Schema of an optional string. An empty string counts as undefined, because sample files leave unused settings empty.
 */
const textOrNothing = z
  .string()
  .transform((text) => text || undefined)
  .optional();

const tlsConfig = z
  .strictObject({
    ca_file: textOrNothing,
    cert_file: textOrNothing,
    key_file: textOrNothing,
    server_name: textOrNothing,
    insecure_skip_verify: z.boolean().default(false),
  })
  .refine((tls) => (tls.cert_file === undefined) === (tls.key_file === undefined), {
    message: 'cert_file and key_file belong together',
  });

/** Schema of `http_config`, the HTTP settings of S3, GCS and AZURE stores. */
export const httpConfig = z.strictObject({
  /**
   * Longest time without any data from the store, before or during a response. 0 means no limit. The parsed value is in
   * milliseconds.
   */
  response_header_timeout: durationField.prefault('30s'),
  max_conns_per_host: z.int().min(0).default(0),
  insecure_skip_verify: z.boolean().default(false),
  tls_config: tlsConfig.prefault({}),
  // Files written for Thanos may contain the following settings. They are accepted but have no effect in Node's HTTP
  // client.
  idle_conn_timeout: durationField.optional(),
  tls_handshake_timeout: durationField.optional(),
  expect_continue_timeout: durationField.optional(),
  max_idle_conns: z.int().min(0).optional(),
  max_idle_conns_per_host: z.int().min(0).optional(),
  disable_compression: z.boolean().optional(),
});
export type HttpConfig = z.output<typeof httpConfig>;

/** Returns one warning for each setting in `names` that is present. The warning says that the setting has no effect. */
export function notesWithoutEffect<Config extends object>(
  path: string,
  config: Config,
  names: readonly (keyof Config & string)[],
): string[] {
  return names
    .filter((name) => config[name] !== undefined)
    .map((name) => `${path}.${name} has no effect here.`);
}

/** Returns warnings about `http_config`, one sentence each, for settings that have no effect or are insecure. */
export function httpNotes(config: HttpConfig): string[] {
  const notes = notesWithoutEffect('config.http_config', config, [
    'idle_conn_timeout',
    'tls_handshake_timeout',
    'expect_continue_timeout',
    'max_idle_conns',
    'max_idle_conns_per_host',
    'disable_compression',
  ]);
  if (skipsVerification(config)) {
    notes.push(
      'config.http_config turns off the check of the server’s certificate: anybody on the way can read and change the data.',
    );
  }
  return notes;
}

export function skipsVerification(config: HttpConfig): boolean {
  return config.insecure_skip_verify || config.tls_config.insecure_skip_verify;
}
