import { hash } from 'node:crypto';
import { type ByteString, displayText } from '../etl/byte-string';
import type { Allocation, StringMap } from '../etl/model';
import { hashWords } from './hash-index';

/** The properties that identify an allocation, in the form in which the database stores them. */
export interface Identity {
  readonly cluster: string;
  readonly node: string;
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly controller: string;
  readonly controllerKind: string;
  readonly providerID: string;
  readonly services: readonly string[];
  readonly labels: Entries;
  readonly annotations: Entries;
  readonly namespaceLabels: Entries;
  readonly namespaceAnnotations: Entries;
  readonly plain: boolean;
}
/** Key-value pairs, sorted by key. */
export type Entries = readonly (readonly [string, string])[];

/** Computes the hash of a text and writes it into an array of hashes. `at` is the index of the hash in the array. */
export function writeHash(text: string, hashes: Uint32Array, at: number): void {
  // With `binary`, the hash is a string with one character per byte. This is faster here than a buffer.
  const digest = hash('sha256', text, 'binary');
  for (let word = 0; word < hashWords; word++) {
    let value = 0;
    for (let byte = 4 * word; byte < 4 * word + 4; byte++) value = (value << 8) | digest.charCodeAt(byte);
    hashes[at * hashWords + word] = value;
  }
}

const nothing = '-';

/**
 * Returns a string that represents the identity of an allocation (its names, labels and other properties). Different
 * identities have different strings.
 */
export function identityKey({ name, properties }: Allocation): string {
  if (properties === null) return `${sized(name)}${nothing}`;
  return (
    sized(properties.cluster) +
    sized(properties.node) +
    sized(properties.namespace) +
    sized(properties.pod) +
    sized(properties.container) +
    sized(properties.controller) +
    sized(properties.controllerKind) +
    sized(properties.providerID) +
    `${properties.services?.length ?? 0};${(properties.services ?? []).map(sized).join('')}` +
    mapKey(properties.labels) +
    mapKey(properties.annotations) +
    mapKey(properties.namespaceLabels) +
    mapKey(properties.namespaceAnnotations)
  );
}

/**
 * Prefixes a string with its length, so that lists of strings can be concatenated unambiguously: different lists always
 * give different results.
 */
function sized(text: ByteString): string {
  return `${text.length}:${text}`;
}

/** Returns the entries of a map as one string. The entries are sorted, because their order in a file has no meaning. */
function mapKey(map: StringMap | null): string {
  if (map === null || map.size === 0) return nothing;
  const parts: string[] = [];
  for (const [key, value] of map) parts.push(sized(key) + sized(value));
  return `${parts.length};${parts.sort().join('')}`;
}

const unmounted = '__unmounted__';

/** Returns the identity of an allocation, in the form that the database stores. */
export function identityOf(record: Allocation): Identity {
  const properties = record.properties;
  // If an allocation has no properties, use the parts of its name, such as cluster and pod.
  const parts = properties === null ? record.name.split('/') : [];
  const [cluster, node, namespace, pod, container] = parts.length === 5 ? parts : [];
  const text = (value: ByteString | undefined, otherwise?: ByteString) =>
    displayText(value ?? otherwise ?? '');
  const identity = {
    cluster: text(properties?.cluster, cluster ?? record.name.slice(0, `${record.name}/`.indexOf('/'))),
    node: text(properties?.node, node),
    namespace: text(properties?.namespace, namespace),
    pod: text(properties?.pod, pod),
    container: text(properties?.container, container),
    controller: text(properties?.controller),
    controllerKind: text(properties?.controllerKind),
    providerID: text(properties?.providerID),
    services: (properties?.services ?? []).map(displayText),
    labels: entries(properties?.labels),
    annotations: entries(properties?.annotations),
    namespaceLabels: entries(properties?.namespaceLabels),
    namespaceAnnotations: entries(properties?.namespaceAnnotations),
  };
  return { ...identity, plain: identity.container !== unmounted };
}

/** Returns the entries of a map, sorted by key. Their order in a file has no meaning. */
export function entries(map: StringMap | null | undefined): [string, string][] {
  const texts = new Map([...(map ?? [])].map(([key, value]) => [displayText(key), displayText(value)]));
  return [...texts].sort(([a], [b]) => (a < b ? -1 : 1));
}
