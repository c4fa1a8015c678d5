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

/** A Kubernetes object in a manifest, with the fields that all kinds have. */
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
  /** Files with values. Later files override earlier ones. */
  readonly valuesFiles?: readonly string[];
  /** Values that a test sets. They override those in `valuesFiles`. */
  readonly values?: object;
  /**
   * Single values by their path, such as `query.replicas`. They are passed as `--set-json`, and override all others.
   */
  readonly set?: Readonly<Record<string, unknown>>;
}

export interface RenderOptions extends ChartValues {
  /** The release's name. (Default: `test`) */
  readonly release?: string;
  /** The release's namespace. (Default: `test-namespace`) */
  readonly namespace?: string;
  /** Whether to render the chart for `helm upgrade` instead of `helm install`. (Default: false) */
  readonly isUpgrade?: boolean;
  /** Kubernetes version for which to render, such as `1.29.0`. (Default: the version that Helm assumes) */
  readonly kubeVersion?: string;
  /** APIs that the cluster has in addition to the built-in ones, such as `monitoring.coreos.com/v1`. */
  readonly apiVersions?: readonly string[];
  /**
   * Address of a Kubernetes API server for the template function `lookup`. (Default: none, so `lookup` finds nothing)
   */
  readonly server?: string;
}

/**
 * Output of a chart: its objects in the order in which Helm prints them, including hooks, and the notes for the user.
 */
export interface RenderedChart {
  readonly objects: readonly KubernetesObject[];
  /** Text of NOTES.txt. Empty if the chart has none. */
  readonly notes: string;
}

/** Thrown if Helm fails. Its message is the one that Helm printed. */
export class HelmError extends Error {
  override readonly name = 'HelmError';

  constructor(
    message: string,
    /** Output of Helm on stdout before it failed. */
    readonly stdout: string,
  ) {
    super(message);
  }
}

/**
 * Name of an extra template, which outputs the chart's notes as an object. It is needed because `helm template` does
 * not print notes.
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
 * Renders a chart as `helm install` does, but without a cluster. Throws a HelmError if Helm fails: for example, because
 * the schema rejects a value, a template calls `fail`, or a template is broken.
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

/** Findings of `helm lint` by severity, one line each. */
export interface LintReport {
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
  readonly hints: readonly string[];
}

/** Runs `helm lint` on a chart with the given values. */
export async function lintChart(chartFolder: string, options: ChartValues = {}): Promise<LintReport> {
  return inScratch(async (scratch) => {
    const args = ['lint', path.resolve(chartFolder), ...(await valuesArgs(options, scratch))];
    // If lint finds an error, it prints the error to stdout and exits with status 1. This is a normal result.
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

/** Parses YAML documents in the same way as Kubernetes, and returns the objects. Skips empty documents. */
export function readManifests(text: string): KubernetesObject[] {
  // Kubernetes reads YAML 1.1 (in which `0440` is 288, and `on` is true), but without its timestamps.
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

/** Copies a chart. If it has notes, adds a template to the copy that outputs the notes as an object. */
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
    // JSON is valid YAML, so Helm can read a values file in JSON.
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

/** Runs Helm without access to the user's own settings, plugins, repositories and clusters. */
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
