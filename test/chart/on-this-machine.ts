import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { KubernetesObject } from './helm';
import { type Fields, fields, list } from './pods';

/** Objects that the pods need, but that the release does not contain. */
export interface Surroundings {
  /** Values of secrets as plain text, by the name of the secret and the key. */
  readonly secrets: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /**
   * Local folders that replace volume claims, by the name of the claim. For every other claim, an empty folder is
   * created.
   */
  readonly claims?: Readonly<Record<string, string>>;
}

/** Everything that is needed to run the first container of a pod as a local process. */
export interface LaidOut {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Local path of the settings file. */
  readonly settings: string;
  /** Returns the text `inPod` with every path in the pod replaced by the corresponding local path. */
  place(inPod: string): string;
}

/**
 * Prepares one container as a kubelet would: creates its volumes below `folder`, fills them from ConfigMaps and
 * secrets, and collects its environment variables. Replaces paths in the pod with local paths. Throws if the container
 * refers to an object that does not exist, because Kubernetes would not start the pod either.
 */
export async function layOut(
  spec: Fields,
  objects: readonly KubernetesObject[],
  { secrets, claims = {} }: Surroundings,
  folder: string,
): Promise<LaidOut> {
  const [container] = list(spec['containers']);
  if (container === undefined) throw new Error('the pod has no container');
  const configMaps = new Map(
    objects.filter(({ kind }) => kind === 'ConfigMap').map((one) => [one.metadata.name, fields(one['data'])]),
  );
  const ownSecrets = new Map(
    objects
      .filter(({ kind }) => kind === 'Secret')
      .map((one) => [one.metadata.name, decoded(fields(one['data']))] as const),
  );
  const secret = (name: string): Fields => {
    const found = ownSecrets.get(name) ?? secrets[name];
    if (found === undefined) throw new Error(`there is no secret ${name}`);
    return found;
  };
  const configMap = (name: string): Fields => {
    const found = configMaps.get(name);
    if (found === undefined) throw new Error(`there is no ConfigMap ${name}`);
    return found;
  };

  const volumes = new Map(list(spec['volumes']).map((volume) => [volume['name'], volume]));
  const places: [string, string][] = [];
  // Replace all paths in a single pass. A local path may contain a path of the pod, which must not be replaced again.
  const place = (text: string): string =>
    text.replace(new RegExp(places.map(([inPod]) => inPod).join('|'), 'g'), (inPod) => {
      return places.find(([other]) => other === inPod)?.[1] ?? inPod;
    });
  const files: [string, string][] = [];
  for (const mount of list(container['volumeMounts'])) {
    const name = String(mount['name']);
    const inPod = String(mount['mountPath']);
    const volume = volumes.get(name) ?? {};
    const claim = fields(volume['persistentVolumeClaim'])['claimName'];
    const here =
      (typeof claim === 'string' ? claims[claim] : undefined) ?? path.join(folder, 'volumes', name);
    places.push([inPod, here]);
    await mkdir(here, { recursive: true });
    const { configMap: map, secret: from } = volume;
    const content =
      map !== undefined
        ? pick(configMap(String(fields(map)['name'])), list(fields(map)['items']))
        : from !== undefined
          ? Object.entries(secret(String(fields(from)['secretName'])))
          : [];
    for (const [file, text] of content) files.push([path.join(here, file), String(text)]);
  }
  // Match longer paths first, because a path can be the prefix of another one: `/var/configs` and `/var/configs/db`.
  places.sort(([one], [other]) => other.length - one.length);
  for (const [file, text] of files) await writeFile(file, place(text));

  const env: Record<string, string> = {};
  for (const source of list(container['envFrom'])) {
    const { secretRef } = source;
    if (secretRef === undefined) continue;
    for (const [key, value] of Object.entries(secret(String(fields(secretRef)['name']))))
      env[key] = String(value);
  }
  for (const { name, value, valueFrom } of list(container['env'])) {
    const reference = fields(fields(valueFrom)['secretKeyRef']);
    const text =
      valueFrom === undefined ? value : secret(String(reference['name']))[String(reference['key'])];
    if (typeof text !== 'string') throw new Error(`${String(name)} has no text`);
    env[String(name)] = place(text);
  }
  const settings = env['FEDERATED_ETL_CONFIG'];
  if (settings === undefined) throw new Error('nothing names the settings file');
  return { args: texts(container['args']), env, settings, place };
}

/** Decodes the values of a secret's `data` from base64. */
function decoded(data: Fields): Fields {
  return Object.fromEntries(
    Object.entries(data).map(([key, text]) => [key, Buffer.from(String(text), 'base64').toString()]),
  );
}

/**
 * Selects the entries of a ConfigMap that a volume lists in `items`, or all entries if `items` is empty. Returns the
 * file name and the content of each selected entry.
 */
function pick(data: Fields, items: readonly Fields[]): [string, unknown][] {
  if (items.length === 0) return Object.entries(data);
  return items.map(({ key, path: name }) => {
    if (!(String(key) in data)) throw new Error(`there is no key ${String(key)}`);
    return [String(name), data[String(key)]];
  });
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
