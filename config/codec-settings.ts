import { checkedListen, checkedOrigins } from './api-settings';
import type { SettingValues } from './keys';
import type { Fault } from './values';

/** Settings of the endpoint that decrypts payloads for Temporal's UI and CLI. */
export interface CodecSettings {
  readonly listen: string;
  readonly token: string;
  /** Web origins whose pages may use the endpoint from a browser. */
  readonly origins: readonly string[];
}

/**
 * Compiles the settings of the codec endpoint. Adds a fault for each invalid value. Returns undefined if there is no
 * endpoint.
 */
export function compileCodec(values: SettingValues, faults: Fault[]): CodecSettings | undefined {
  const { 'temporal.codec.token': token } = values;
  if (values['temporal.codec.listen'] === undefined) return undefined;
  const fault = (setting: string, detail: string) => faults.push({ setting, detail });
  if (token === undefined)
    fault(
      'temporal.codec.token',
      'The codec endpoint (temporal.codec.listen) needs a token (temporal.codec.token).',
    );
  else if (!/^[\x21-\x7e]+$/.test(token))
    fault('temporal.codec.token', 'The token takes ASCII characters without blanks (temporal.codec.token).');
  else if (token === values['api.token'])
    fault('temporal.codec.token', 'temporal.codec.token is the same as api.token: make another one.');
  if (values['temporal.encryptionKeys'] === undefined)
    fault(
      'temporal.codec.listen',
      'There is nothing to decrypt without temporal.encryptionKeys (temporal.codec.listen).',
    );
  return {
    listen: checkedListen('temporal.codec.listen', values, faults),
    token: token ?? '',
    origins: checkedOrigins('temporal.codec.origins', values, faults) ?? [],
  };
}
