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

/** An object as it is written in a manifest: the fields that all kinds share, and those of its own. */
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

/** What a person could say to `helm install` about the chart's values. */
export interface ChartValues {
  /** Files with values, the later ones above the earlier. */
  readonly valuesFiles?: readonly string[];
  /** Values as the test has them, above those of the files. */
  readonly values?: object;
  /** Single values by their path as `--set` takes it, such as `query.replicas`, above all others. Each is JSON. */
  readonly set?: Readonly<Record<string, unknown>>;
}

export interface RenderOptions extends ChartValues {
  /** The release's name. (Default: `test`) */
  readonly release?: string;
  /** Its namespace. (Default: `test-namespace`) */
  readonly namespace?: string;
  /** As for `helm upgrade`. */
  readonly isUpgrade?: boolean;
  /** The version of the cluster, such as `1.29.0`. (Default: that of Helm's own client) */
  readonly kubeVersion?: string;
  /** APIs that the cluster has besides Kubernetes' own, such as `monitoring.coreos.com/v1`. */
  readonly apiVersions?: readonly string[];
  /** Where a Kubernetes API answers, for what the chart looks up there. (Default: there is none, and nothing is found) */
  readonly server?: string;
}

/** What a chart makes: its objects, hooks included, in Helm's order, and what it tells the person. */
export interface RenderedChart {
  readonly objects: readonly KubernetesObject[];
  /** NOTES.txt, empty where there is none. */
  readonly notes: string;
}

/** Helm refused: its own text, and nothing else. */
export class HelmError extends Error {
  override readonly name = 'HelmError';

  constructor(
    message: string,
    /** What it had printed before. */
    readonly stdout: string,
  ) {
    super(message);
  }
}

/** The file that brings the notes into what `helm template` prints, which leaves them out. */
const notesFile = 'zz-notes-for-test.yaml';
const notesKind = 'NotesForTest';
const notesTemplate = [
  'apiVersion: test/v1',
  `kind: ${notesKind}`,
  'notes: {{ include (print $.Template.BasePath "/NOTES.txt") . | toJson }}',
  '',
].join('\n');

/**
 * Renders a chart as `helm install` would, without a cluster. A HelmError has Helm's words where it refuses: a value
 * that the schema does not allow, a `fail`, a template that is wrong.
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

/** What `helm lint` says of a chart, a line each, by how bad it finds it. */
export interface LintReport {
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
  readonly hints: readonly string[];
}

/** Lints a chart with such values. */
export async function lintChart(chartFolder: string, options: ChartValues = {}): Promise<LintReport> {
  return inScratch(async (scratch) => {
    const args = ['lint', path.resolve(chartFolder), ...(await valuesArgs(options, scratch))];
    // Where lint finds an error it says so on its output, and ends with 1.
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

/** Objects of a YAML text with many documents, empty ones left out. Read as Kubernetes' own parser does. */
export function readManifests(text: string): KubernetesObject[] {
  // Its YAML is 1.1, with `0440` for 288 and `on` for true, but without the times and dates of 1.1.
  const customTags = (tags: Tags): Tags =>
    tags.filter(
      (tag) => typeof tag === 'string' || (tag.format !== 'TIME' && !tag.tag.endsWith(':timestamp')),
    );
  const documents = parseAllDocuments(text, { version: '1.1', customTags });
  if (!Array.isArray(documents)) return [];
  return documents.flatMap((document, at) => {
    const [error] = document.errors;
    if (error) throw new Error(`document ${at + 1} is no YAML: ${error.message}`);
    const value = document.toJS() as KubernetesObject | null;
    return value === null ? [] : [value];
  });
}

/** The chart as it is, with one template more where it has notes. */
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
    // JSON is YAML.
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

/** Calls Helm in a world in which there is nothing of the person's: no settings, plugins, repositories, clusters. */
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
