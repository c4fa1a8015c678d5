import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { parseAllDocuments, type Tags } from 'yaml';
import { helmPath } from '../servers/paths';

const run = promisify(execFile);
const limitMs = 60_000;

/** An object of a manifest: the fields that all kinds have in common, and any other fields. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

/** Values and options that a user could pass to `helm install`. */
export interface ChartValues {
  /** Files with values; later ones take precedence. */
  readonly valuesFiles?: readonly string[];
  /** Values that the test sets. They take precedence over the files. */
  readonly values?: object;
  /** Single values by path, such as `query.replicas`, as with `--set-json`. They have the highest precedence. */
  readonly set?: Readonly<Record<string, unknown>>;
}

export interface RenderOptions extends ChartValues {
  /** The release's name. (Default: `test`) */
  readonly release?: string;
  /** The release's namespace. (Default: `test-namespace`) */
  readonly namespace?: string;
  /** Whether to render as `helm upgrade` would. (Default: as `helm install`) */
  readonly isUpgrade?: boolean;
  /** The Kubernetes version, such as `1.29.0`. (Default: that of Helm's client) */
  readonly kubeVersion?: string;
  /** APIs that the cluster offers in addition to Kubernetes' own, such as `monitoring.coreos.com/v1`. */
  readonly apiVersions?: readonly string[];
  /** Address of a Kubernetes API that `lookup` asks. (Default: no API, so `lookup` finds nothing) */
  readonly server?: string;
}

/** Output of a chart: its objects in Helm's order, hooks included, and the notes for the user. */
export interface RenderedChart {
  readonly objects: readonly KubernetesObject[];
  /** Text of NOTES.txt, empty if the chart has none. */
  readonly notes: string;
}

/** Thrown when Helm fails. The message is Helm's own. */
export class HelmError extends Error {
  override readonly name = 'HelmError';

  constructor(
    message: string,
    /** What Helm wrote to stdout before it failed. */
    readonly stdout: string,
  ) {
    super(message);
  }
}

/**
 * Name of an additional template that outputs the chart's notes as an object: `helm template` does not print the notes.
 */
const notesFile = 'zz-notes-for-test.yaml';
const notesKind = 'NotesForTest';
const notesTemplate = [
  'apiVersion: test/v1',
  `kind: ${notesKind}`,
  'notes: {{ include (print $.Template.BasePath "/NOTES.txt") . | toJson }}',
  '',
].join('\n');

/**
 * Renders a chart as `helm install` would, but without a cluster. If Helm refuses, throws a HelmError with Helm's
 * message. Reasons are a value that the schema does not allow, a `fail` in a template, or a broken template.
 */
export async function renderChart(chartFolder: string, options: RenderOptions = {}): Promise<RenderedChart> {
  const {
    release = 'test',
    namespace = 'test-namespace',
    isUpgrade,
    kubeVersion,
    apiVersions = [],
    server,
  } = options;
  return inScratch(async (scratch) => {
    const chart = await copyChart(chartFolder, scratch);
    const args = ['template', release, chart, '--namespace', namespace];
    if (isUpgrade === true) args.push('--is-upgrade');
    if (server !== undefined) args.push('--dry-run=server', '--kube-apiserver', server);
    if (kubeVersion !== undefined) args.push('--kube-version', kubeVersion);
    for (const api of apiVersions) args.push('--api-versions', api);
    const stdout = await callHelm([...args, ...(await valuesArgs(options, scratch))], scratch);
    const documents = readManifests(stdout);
    const objects = documents.filter(({ kind }) => kind !== notesKind);
    const notes = documents.find(({ kind }) => kind === notesKind)?.['notes'];
    return { objects, notes: typeof notes === 'string' ? notes : '' };
  });
}

/** Findings of `helm lint` by severity, each of them one line. */
export interface LintReport {
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
  readonly hints: readonly string[];
}

/** Lints a chart with the given values. */
export async function lintChart(chartFolder: string, options: ChartValues = {}): Promise<LintReport> {
  return inScratch(async (scratch) => {
    const args = ['lint', path.resolve(chartFolder), ...(await valuesArgs(options, scratch))];
    // If lint finds an error, it prints the error to stdout and exits with status 1.
    const { stdout, failure } = await callHelm(args, scratch).then(
      (stdout) => ({ stdout, failure: undefined }),
      (error: HelmError) => ({ stdout: error.stdout, failure: error }),
    );
    const lines = stdout.split('\n');
    const marked = (mark: string): string[] =>
      lines.filter((line) => line.startsWith(`[${mark}] `)).map((line) => line.slice(mark.length + 3));
    const report = { errors: marked('ERROR'), warnings: marked('WARNING'), hints: marked('INFO') };
    if (failure !== undefined && report.errors.length === 0) throw failure;
    return report;
  });
}

/** Parses a text of several YAML documents as Kubernetes does, and returns the objects. Skips empty documents. */
export function readManifests(text: string): KubernetesObject[] {
  // Kubernetes uses YAML 1.1, where `0440` is 288 and `on` is true, but does not support the timestamps of YAML 1.1.
  const customTags = (tags: Tags): Tags =>
    tags.filter(
      (tag) => typeof tag === 'string' || (tag.format !== 'TIME' && !tag.tag.endsWith(':timestamp')),
    );
  const documents = parseAllDocuments(text, { version: '1.1', customTags });
  if (!Array.isArray(documents)) return [];
  return documents.flatMap((document, at) => {
    const [error] = document.errors;
    if (error) throw new Error(`document ${at + 1} is not valid YAML: ${error.message}`);
    const value = document.toJS() as KubernetesObject | null;
    return value === null ? [] : [value];
  });
}

/** Copies the chart. If the chart has notes, adds a template to the copy that outputs them. */
async function copyChart(chartFolder: string, scratch: string): Promise<string> {
  const copy = path.join(scratch, 'chart');
  await cp(chartFolder, copy, { recursive: true });
  const templates = path.join(copy, 'templates');
  if (existsSync(path.join(templates, 'NOTES.txt')))
    await writeFile(path.join(templates, notesFile), notesTemplate);
  return copy;
}

async function valuesArgs(
  { valuesFiles = [], values, set = {} }: ChartValues,
  scratch: string,
): Promise<string[]> {
  const files = valuesFiles.map((file) => path.resolve(file));
  if (values !== undefined) {
    // JSON is valid YAML, so Helm can read this file.
    const file = path.join(scratch, 'values.json');
    await writeFile(file, JSON.stringify(values));
    files.push(file);
  }
  return [
    ...files.flatMap((file) => ['--values', file]),
    ...Object.entries(set).flatMap(([key, value]) => ['--set-json', `${key}=${JSON.stringify(value)}`]),
  ];
}

async function inScratch<T>(use: (scratch: string) => Promise<T>): Promise<T> {
  const scratch = await mkdtemp(path.join(os.tmpdir(), 'federated-etl-helm-'));
  try {
    return await use(scratch);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Runs Helm in isolation from the user's settings, plugins, repositories and clusters. */
async function callHelm(args: readonly string[], scratch: string): Promise<string> {
  const home = path.join(scratch, 'home');
  const env = {
    PATH: process.env['PATH'],
    HOME: home,
    TMPDIR: scratch,
    XDG_CACHE_HOME: path.join(home, 'cache'),
    XDG_CONFIG_HOME: path.join(home, 'config'),
    XDG_DATA_HOME: path.join(home, 'data'),
    HELM_CACHE_HOME: path.join(home, 'helm-cache'),
    HELM_CONFIG_HOME: path.join(home, 'helm-config'),
    HELM_DATA_HOME: path.join(home, 'helm-data'),
    KUBECONFIG: path.join(home, 'no-kubeconfig'),
  };
  await mkdir(home, { recursive: true });
  try {
    const { stdout } = await run(helmPath(), args, {
      env,
      cwd: home,
      timeout: limitMs,
      killSignal: 'SIGKILL',
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '', killed, message } = error as FailedHelm;
    if (killed === true) throw new HelmError(`helm ${args[0]} took longer than ${limitMs / 1000} s`, stdout);
    const said = stderr.replace(/^Error: /m, '').trim();
    throw new HelmError(said === '' ? message : said, stdout);
  }
}

type FailedHelm = Error & { stdout?: string; stderr?: string; killed?: boolean };
