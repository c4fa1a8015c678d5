import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cp, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Client } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { stringify } from 'yaml';
import type { Status } from '../../operator/status';
import { excludeCluster, type RosterState, rosterState } from '../../workflows/messages';
import { names } from '../../workflows/names';
import { type Answer, runMain } from '../scripts/run-main';
import { temporalCliPath } from '../servers/paths';
import { builtProgram } from '../servers/program';
import { connectToTestServer, describeWithTemporal, type TestServer } from '../servers/temporal';
import { until } from '../until';

const { History } = temporal.api.history.v1;
const { WorkflowExecutionInfo } = temporal.api.workflow.v1;
const golden = path.join(__dirname, '../golden/bucket/federated');
const reason = 'because of the planted reason';
const { roster, push } = names('');

/** Runs a Federated Cluster that is also the federator as a process, with keys that encrypt its payloads. */
describeWithTemporal('payloads that are encrypted', () => {
  let server: TestServer;
  let namespace: string;
  let folder: string;
  let child: ChildProcess | undefined;
  let written = '';
  /** A client without keys, such as Temporal's UI. */
  let stranger: Client;
  const keys = ['first', 'second'].map((id) => ({ id, key: randomBytes(32).toString('base64') }));
  const codec = { listen: '127.0.0.1:0', token: 'the-planted-codec-token', origins: ['https://ui.example'] };
  const at = (name: string) => path.join(folder, name);

  /** Replaces the file with the keys, as Kubernetes replaces a mounted secret. */
  async function writeKeys(ids: readonly string[]): Promise<void> {
    await writeFile(at('keys.new'), stringify({ keys: ids.map((id) => keys.find((key) => key.id === id)) }));
    await rename(at('keys.new'), at('keys.yaml'));
  }

  async function writeSettings(name: string, encryptionKeys?: string): Promise<void> {
    const settings = {
      clusterId: 'c1',
      federatedETL: {
        federatedCluster: true,
        federator: { enabled: true, firstRunAfter: '24h', runEvery: '24h' },
      },
      storage: { configFile: 'store.yaml' },
      localEtl: { path: 'etl' },
      temporal: { address: server.address, namespace, encryptionKeys, ...(encryptionKeys && { codec }) },
      health: { listen: '127.0.0.1:0' },
      log: { format: 'json' },
    };
    await writeFile(at(name), stringify(settings));
  }

  const verb = (settings: string, ...args: string[]): Promise<Answer> =>
    runMain(...args, '--config', at(settings));

  /** Returns the history and the description of each workflow in the namespace, as the server stores them. */
  async function histories(): Promise<{ id: string; bytes: Buffer }[]> {
    const found = [];
    const { executions } = await server.connection.workflowService.listWorkflowExecutions({ namespace });
    for (const info of executions) {
      const { workflowId, runId } = info.execution!;
      const history = await stranger.workflow.getHandle(workflowId!, runId!).fetchHistory();
      const bytes = [History.encode(history).finish(), WorkflowExecutionInfo.encode(info).finish()];
      found.push({ id: workflowId!, bytes: Buffer.concat(bytes) });
    }
    return found;
  }

  /** Returns the clusters that `status --json` shows as excluded. */
  async function excluded(): Promise<string[]> {
    const { out } = await verb('keys-settings.yaml', 'status', '--json');
    const { clusters } = JSON.parse(out) as Status;
    return clusters.flatMap(({ cluster, reason: why = '' }) => (why.includes('excluded') ? [cluster] : []));
  }

  beforeAll(async () => {
    server = await connectToTestServer();
    namespace = await server.createNamespace();
    stranger = server.client(namespace);
    folder = await mkdtemp(path.join(os.tmpdir(), 'federated-etl-encrypted-'));
    for (const other of ['cluster-2', 'cluster-3'])
      await cp(path.join(golden, other), at(`bucket/federated/${other}`), { recursive: true });
    await cp(path.join(golden, 'cluster-1/etl'), at('etl'), {
      recursive: true,
    });
    await writeFile(at('store.yaml'), stringify({ type: 'FILESYSTEM', config: { directory: at('bucket') } }));
    await writeKeys(['first']);
    await writeSettings('keys-settings.yaml', 'keys.yaml');
    await writeSettings('plain-settings.yaml');
    child = spawn(process.execPath, [await builtProgram(), 'run', '--config', at('keys-settings.yaml')]);
    for (const output of [child.stdout, child.stderr])
      output?.setEncoding('utf8').on('data', (text: string) => (written += text));
    await logged('"event":"started"');
  });
  afterAll(async () => {
    child?.kill('SIGKILL');
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });
  const logged = (text: string) =>
    until(text, () => written.includes(text), { process: child!, output: () => written });

  test('are read by a verb that has the keys', async () => {
    expect(await verb('keys-settings.yaml', 'federate', '--wait')).toMatchObject({ status: 0 });
    const change = await verb('keys-settings.yaml', 'exclude', 'cluster-2', '--reason', reason);
    expect(change).toMatchObject({ status: 0 });
    expect(await excluded()).toEqual(['cluster-2']);
    const { out } = await verb('keys-settings.yaml', 'runs');
    expect(out).toMatch(/complete/);
  });

  test('show nothing in Temporal: neither the reason of an exclusion, nor the folder of the bucket', async () => {
    const found = await histories();
    expect(found.map(({ id }) => id)).toEqual(expect.arrayContaining([roster, push('c1')]));
    for (const { bytes } of found) {
      expect(bytes.includes('binary/encrypted')).toBe(true);
      for (const secret of [reason, folder, ...keys.map(({ key }) => key)])
        expect(bytes.includes(secret)).toBe(false);
    }
  });

  test('are decrypted by the codec endpoint for the Temporal CLI, which also encrypts what it sends', async () => {
    const [, url = ''] = /"codec.listening","url":"([^"]+)"/.exec(written) ?? [];
    const cli = async (token: string | undefined, ...args: string[]) => {
      const endpoint =
        token === undefined ? [] : ['--codec-endpoint', url, '--codec-auth', `Bearer ${token}`];
      const where = ['--address', server.address, '--namespace', namespace, '--workflow-id', roster];
      const ran = promisify(execFile)(temporalCliPath(), ['workflow', ...args, ...where, ...endpoint]);
      return ran.then(
        ({ stdout }) => stdout,
        (error: Error & { stderr: string }) => `failed: ${error.stderr}`,
      );
    };
    const show = ['show', '--detailed'];
    expect(await cli(codec.token, ...show)).toContain(reason);
    expect(await cli(undefined, ...show)).not.toContain(reason);
    expect(await cli(codec.token, 'query', '--name', 'roster')).toContain(reason);
    const why = 'because the CLI says so';
    const input = JSON.stringify({ cluster: 'cluster-3', reason: why });
    await cli(codec.token, 'signal', '--name', 'excludeCluster', '--input', input);
    await until('the exclusion', async () => (await excluded()).includes('cluster-3'));
    await cli(codec.token, 'signal', '--name', 'includeCluster', '--input', '"cluster-3"');
    await until('the inclusion', async () => !(await excluded()).includes('cluster-3'));
    for (const { bytes } of await histories()) expect(bytes.includes(why)).toBe(false);
    expect(written).not.toContain(codec.token);
  });

  test('of a failed run do not show why it failed, but a verb does', async () => {
    await rename(at('bucket'), at('moved'));
    const failed = await verb('keys-settings.yaml', 'federate', '--wait');
    await rename(at('moved'), at('bucket'));
    expect(failed.status).toBe(1);
    expect(failed.err).toContain('STORAGE_BUCKET_NOT_FOUND');
    expect(failed.err).toContain(at('bucket'));
    const found = await histories();
    expect(found.some(({ bytes }) => bytes.includes('STORAGE_BUCKET_NOT_FOUND'))).toBe(true);
    expect(found.some(({ bytes }) => bytes.includes(at('bucket')))).toBe(false);
  });

  test('are an error of their own for a verb without the keys', async () => {
    const { status, err } = await verb('plain-settings.yaml', 'federate', '--wait');
    expect(status).toBe(1);
    expect(err).toMatch(/TEMPORAL_KEY_MISSING.*first/s);
    // On a busy machine, a process may answer too late for one attempt.
    await until('the reason in status', async () => {
      const { out } = await verb('plain-settings.yaml', 'status');
      const says = /^The roster could not be asked: TEMPORAL_KEY_MISSING: .*"first"\.$/m.test(out);
      return says && !/does not answer|do not answer/.test(out);
    });
    const doctor = await until('the reason in doctor', async () => {
      const answer = await verb('plain-settings.yaml', 'doctor');
      return /FAILED +encryption keys: TEMPORAL_KEY_MISSING/.test(answer.out) ? answer : undefined;
    });
    expect(doctor.status).toBe(1);
  });

  test('are accepted in plain text, too, for example as a signal from the UI', async () => {
    const handle = stranger.workflow.getHandle(roster);
    await handle.signal(excludeCluster, { cluster: 'cluster-3' });
    await until('the exclusion', async () => (await excluded()).includes('cluster-3'));
    await expect(handle.query<RosterState>(rosterState)).rejects.toThrow();
  });

  test('are encrypted with a new key once it is first in the file, without a restart', async () => {
    await writeKeys(['second', 'first']);
    await logged('temporal.encryptionKeys have changed');
    expect(await verb('keys-settings.yaml', 'include', 'cluster-2')).toMatchObject({
      status: 0,
    });
    expect(await excluded()).toEqual(['cluster-3']);
    const { bytes } = (await histories()).find(({ id }) => id === roster)!;
    expect(bytes.includes('second')).toBe(true);
    expect(bytes.includes(reason)).toBe(false);
  });

  test('that a process cannot decrypt are a condition of its roles, until it has the key', async () => {
    const [, url] = /"health.listening","url":"([^"]+)"/.exec(written) ?? [];
    const readyz = async () => (await fetch(`${url}/readyz?role=federator`)).text();
    await writeFile(at('old.yaml'), stringify({ keys: [keys[0]] }));
    await writeSettings('old-settings.yaml', 'old.yaml');
    const renewals = () => written.split('temporal.encryptionKeys have changed').length;
    const before = renewals();
    await writeKeys(['second']);
    await until('the renewal', () => renewals() > before);
    const change = verb('old-settings.yaml', 'exclude', 'cluster-2', '--reason', reason);
    const state = await until('the condition', async () => {
      const text = await readyz();
      return text.includes('TEMPORAL_KEY_MISSING') ? text : undefined;
    });
    expect(state).toMatch(/^federator: temporal: TEMPORAL_KEY_MISSING: .*"first".* Add the key with this id/);
    await writeKeys(['second', 'first']);
    expect(await change).toMatchObject({ status: 0 });
  });

  test('are not encrypted with another secret of a known key: the process keeps the one that it has', async () => {
    const [, url] = /"health.listening","url":"([^"]+)"/.exec(written) ?? [];
    const readyz = async () => (await fetch(`${url}/readyz?role=federator`)).text();
    const changed = { id: 'second', key: randomBytes(32).toString('base64') };
    await writeFile(at('keys.new'), stringify({ keys: [changed, keys[0]] }));
    await rename(at('keys.new'), at('keys.yaml'));
    await logged('TEMPORAL_KEY_DIFFERS: The secret of the key \\"second\\" has changed');
    await until('the condition', async () =>
      /^federator: temporal: TEMPORAL_KEY_DIFFERS/m.test(await readyz()),
    );
    await writeFile(at('other.yaml'), stringify({ keys }));
    await writeSettings('other-settings.yaml', 'other.yaml');
    const refused = await verb('keys-settings.yaml', 'include', 'cluster-3');
    expect(refused.err).toMatch(/TEMPORAL_KEY_DIFFERS: The secret of the key "second".*roster/);
    const started = spawn(process.execPath, [
      await builtProgram(),
      'run',
      '--config',
      at('keys-settings.yaml'),
    ]);
    let said = '';
    for (const output of [started.stdout, started.stderr])
      output.setEncoding('utf8').on('data', (text: string) => (said += text));
    const [status] = (await once(started, 'exit')) as [number];
    expect(`${status} ${said}`).toMatch(/^1 .*TEMPORAL_KEY_DIFFERS/s);
    expect(await verb('other-settings.yaml', 'include', 'cluster-3')).toMatchObject({ status: 0 });
    for (const output of [written, said, refused.err]) expect(output).not.toContain(changed.key);
  });
});
