import { keepPasswordsIn, keepSecret, keepSecretsIn } from '../errors/secrets';

/** Environment variables that are secrets, although they are not our settings. The SDKs read them. */
const secretVariables =
  /^(?:AWS_SECRET_ACCESS_KEY|AWS_SESSION_TOKEN|AWS_CONTAINER_AUTHORIZATION_TOKEN|AZURE_CLIENT_SECRET|AZURE_CLIENT_CERTIFICATE_PASSWORD|AZURE_PASSWORD|TEMPORAL_API_KEY|TEMPORAL_CODEC_AUTH|TEMPORAL_TLS_CLIENT_KEY_DATA|TEMPORAL_GRPC_META_.*(?:AUTH|TOKEN|KEY|SECRET|PASS).*)$/;
const proxyVariables = /^(?:https?|grpc|all)_proxy$/i;

/** Remembers the secrets among the headers that are sent to Temporal. Others, such as a team's name, may be shown. */
export function keepSecretHeaders(headers: object | undefined): void {
  for (const [name, value] of Object.entries(headers ?? {}))
    if (/auth|token|key|secret|pass/i.test(name)) keepSecretsIn(value);
}

/** Remembers the secrets in environment variables, so that no message shows them. */
export function keepSecretVariables(env: NodeJS.ProcessEnv): void {
  for (const [name, value = ''] of Object.entries(env)) {
    if (secretVariables.test(name)) keepSecret(value);
    if (proxyVariables.test(name)) keepPasswordsIn(value);
  }
}
