import type { Hold } from './generation';

/** Describes a hold in two sentences: who put it on the federation and why, and how it ends. */
export function describeHold({ generation, by, reason, at }: Hold): string {
  const why = reason === '' ? '' : ` (${reason})`;
  return `On hold: ${by} rolled back to generation ${generation} at ${at}${why}. Nothing is committed until \`federated-etl federate --resume\`.`;
}
