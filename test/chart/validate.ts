import Ajv, { type ErrorObject, type ValidateFunction } from 'ajv';
import { closest, distance } from 'fastest-levenshtein';
import type { KubernetesObject } from './helm';
import { KubernetesSchemas, type Schema } from './kubernetes-schemas';

/** Result of a validation. */
export interface Validation {
  /** Errors, one sentence each, such as `Deployment/mine: spec.replicas must be an integer, is "2"`. */
  readonly problems: readonly string[];
  /** Custom resources with unknown schemas, such as `example.com/v1 Thing/mine`. They were not validated. */
  readonly passedOver: readonly string[];
}

const dnsLabel = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const dnsSubdomain = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const labelValue = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
const qualifiedName = (text: string): boolean => {
  const parts = text.split('/');
  const [local = '', prefix] = parts.reverse();
  return (
    parts.length <= 2 &&
    local !== '' &&
    labelValue.test(local) &&
    (prefix === undefined || dnsSubdomain.test(prefix))
  );
};

/** String formats. `is` checks whether a string has the format, and `called` describes the format in error messages. */
const formats: Readonly<Record<string, { readonly is: (text: string) => boolean; readonly called: string }>> =
  {
    'dns-label': { is: (text) => dnsLabel.test(text), called: 'a DNS label (a-z, 0-9, -; at most 63)' },
    'dns-subdomain': {
      is: (text) => dnsSubdomain.test(text),
      called: 'a DNS name (a-z, 0-9, -, .; at most 253)',
    },
    'service-name': {
      is: (text) => dnsLabel.test(text) && /^[a-z]/.test(text),
      called: 'a DNS label that begins with a letter',
    },
    'cron-job-name': {
      is: (text) => dnsLabel.test(text) && text.length <= 52,
      called: 'a DNS label of at most 52, as its jobs get longer names',
    },
    'rbac-name': {
      is: (text) => text !== '' && text !== '.' && text !== '..' && !/[/%]/.test(text),
      called: 'a name without / and %',
    },
    'port-name': {
      is: (text) => /^(?=.{1,15}$)(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*$/.test(text),
      called: 'the name of a port (a-z, 0-9, -; at most 15)',
    },
    'env-name': { is: (text) => /^[-._a-zA-Z][-._a-zA-Z0-9]*$/.test(text), called: 'the name of a variable' },
    'file-key': {
      is: (text) => /^[-._a-zA-Z0-9]{1,253}$/.test(text) && text !== '.' && text !== '..',
      called: 'a key that can be the name of a file',
    },
    'label-value': {
      is: (text) => labelValue.test(text),
      called: 'the value of a label (A-Z, a-z, 0-9, -, _, .; at most 63)',
    },
    'qualified-name': {
      is: qualifiedName,
      called: 'a qualified name (at most 63, and a DNS name before its /)',
    },
    base64: {
      is: (text) => /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text),
      called: 'base64',
    },
    quantity: {
      is: (text) => /^[+-]?(\d+(\.\d*)?|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?$/.test(text),
      called: 'a quantity, such as 500m or 2Gi',
    },
  };

/** Formats of object names, by kind. The names of all other kinds have the format `dns-subdomain`. */
const nameFormats: Readonly<Record<string, string>> = {
  Service: 'service-name',
  Namespace: 'dns-label',
  CronJob: 'cron-job-name',
  ...Object.fromEntries(
    ['Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'Pod'].map((kind) => [kind, 'dns-label']),
  ),
  ...Object.fromEntries(
    ['Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding'].map((kind) => [kind, 'rbac-name']),
  ),
};

const schemas = new KubernetesSchemas();
const validators = new Map<string, ValidateFunction>();

/** Validates objects against the types of the Kubernetes API. Unknown fields are errors. */
export function validateObjects(objects: readonly KubernetesObject[]): Validation {
  const problems: string[] = [];
  const passedOver: string[] = [];
  for (const object of objects) {
    const found = validateObject(object);
    if (found === undefined) passedOver.push(`${object.apiVersion} ${nameOf(object)}`);
    else problems.push(...found.map((problem) => `${nameOf(object)}: ${problem}`));
  }
  return { problems, passedOver };
}

/** Returns the errors of an object. Returns undefined if it is a custom resource whose schema is unknown. */
function validateObject(object: KubernetesObject): string[] | undefined {
  const { apiVersion, kind } = object as { apiVersion?: unknown; kind?: unknown };
  if (typeof apiVersion !== 'string' || apiVersion === '') return ['has no apiVersion'];
  if (typeof kind !== 'string' || kind === '') return ['has no kind'];
  if (/\d(alpha|beta)\d/.test(apiVersion) && isOfKubernetes(apiVersion))
    return [`apiVersion ${apiVersion} is not stable: clusters need not have it`];
  const id = schemas.idOf(apiVersion, kind);
  if (id === undefined)
    return isOfKubernetes(apiVersion) ? [`Kubernetes has no kind ${kind} in ${apiVersion}`] : undefined;
  const validate = validatorOf(id, kind);
  if (validate(object) === true) return [];
  const errors = validate.errors ?? [];
  // An invalid key causes two errors: one for the key itself, and a `propertyNames` error that only repeats it.
  const own = errors.filter(({ keyword }) => keyword !== 'propertyNames');
  return [...new Set(own.map(sentence))];
}

/**
 * Returns whether an API group belongs to Kubernetes: its name is empty, has no dot, or ends in k8s.io. The groups of
 * custom resources have other domains.
 */
function isOfKubernetes(apiVersion: string): boolean {
  const [group = '', version] = apiVersion.split('/');
  return version === undefined || !group.includes('.') || /(^|\.)k8s\.io$/.test(group);
}

function validatorOf(id: string, kind: string): ValidateFunction {
  const known = validators.get(id);
  if (known) return known;
  const ajv = new Ajv({ allErrors: true, verbose: true, strictTypes: false });
  for (const [format, { is }] of Object.entries(formats))
    ajv.addFormat(format, { type: 'string', validate: is });
  const format = nameFormats[kind] ?? 'dns-subdomain';
  const hasSpec = schemas.definitions[id]?.properties?.['spec'] !== undefined && kind !== 'Namespace';
  const narrower: Schema = {
    required: ['metadata', ...(hasSpec ? ['spec'] : [])],
    properties: { metadata: { required: ['name'], properties: { name: { format } } } },
  };
  const validate = ajv.compile({
    definitions: schemas.definitions,
    allOf: [{ $ref: `#/definitions/${id}` }, narrower],
  });
  validators.set(id, validate);
  return validate;
}

/** Describes a validation error in one sentence that contains the path of the field. */
function sentence(error: ErrorObject): string {
  const path = readablePath(error.instancePath);
  const at = (field: unknown): string => `${path}${step(String(field))}`.replace(/^\./, '');
  const here = path.replace(/^\./, '') || 'the object';
  const params = error.params as Record<string, unknown>;
  const is = (value: unknown): string => `is ${value === undefined ? 'missing' : JSON.stringify(value)}`;
  const { title = 'this', properties = {} } = error.parentSchema as Schema;
  switch (error.keyword) {
    case 'additionalProperties': {
      const field = String(params['additionalProperty']);
      const near = closest(field, Object.keys(properties));
      const meant = near !== undefined && distance(field, near) <= 3 ? `; did you mean ${near}?` : '';
      return `${at(field)} is no field of ${title}${meant}`;
    }
    case 'required':
      return `${at(params['missingProperty'])} is required`;
    case 'type': {
      const types = [params['type']].flat().join(' or ');
      return `${here} must be of type ${types}, ${is(error.data)}`;
    }
    case 'enum':
      return `${here} must be one of ${(params['allowedValues'] as unknown[]).join(', ')}, ${is(error.data)}`;
    case 'format': {
      const called = formats[String(params['format'])]?.called ?? String(params['format']);
      return error.propertyName === undefined
        ? `${here} must be ${called}, ${is(error.data)}`
        : `${at(error.propertyName)}: the key must be ${called}`;
    }
    default:
      return `${here} ${error.message ?? 'is wrong'}, ${is(error.data)}`;
  }
}

/** Converts a JSON pointer to a path such as `spec.containers[0].image`. */
function readablePath(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^\d+$/.test(part) ? `[${part}]` : step(part)))
    .join('');
}

function step(field: string): string {
  return /^[\w-]+$/.test(field) ? `.${field}` : `["${field}"]`;
}

/** Returns a readable name of an object, such as `Deployment/mine`. */
export function nameOf({ kind, metadata }: KubernetesObject): string {
  const name = (metadata as { name?: string } | undefined)?.name ?? '?';
  return `${kind ?? '?'}/${name}`;
}
