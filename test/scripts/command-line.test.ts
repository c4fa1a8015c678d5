import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { keepSecret } from '../../errors/secrets';
import { parseSpan } from '../../scripts/parse-options';
import { runMain } from './run-main';

describe('the command line', () => {
  it('prints help on request', async () => {
    const { status, out } = await runMain('--help');
    expect(status).toBe(0);
    expect(out).toMatch(/Usage: federated-etl/);
    expect(out).toMatch(/^ {2}status /m);
  });

  it('prints its version on request', async () => {
    const { version } = JSON.parse(readFileSync(join(__dirname, '../../package.json'), 'utf8')) as {
      version: string;
    };
    expect(await runMain('--version')).toEqual({ status: 0, out: `federated-etl ${version}\n`, err: '' });
  });

  it('has an example in the help of every verb', async () => {
    const parse = jest.spyOn(Command.prototype, 'parseAsync').mockImplementation(function (this: Command) {
      return Promise.resolve(this);
    });
    await runMain();
    const program = parse.mock.contexts[0] as Command;
    parse.mockRestore();
    const verbs = program.commands.flatMap((verb) => (verb.commands.length > 0 ? verb.commands : [verb]));
    expect(verbs.length).toBeGreaterThan(5);
    for (const verb of verbs) {
      const { out } = await runMain(...pathOf(verb), '--help');
      expect(out).toMatch(/Examples?:\n {2}federated-etl /);
    }
  });

  it.each([
    [[]],
    [['stauts']],
    [['status', '--jsn']],
    [['runs', '--limit', '0']],
    [['status', 'extra']],
    [['federate', '--window', '5,3']],
    [['federate', '--window', 'yesterday']],
    [['federate', '--wait', '--timeout', '10']],
    [['federate', '--wait', '--timeout', '0s']],
    [['replay', '--failed', '--timeout', '60d']],
    [['replay']],
  ])('called wrongly exits with 2: %j', async (argv) => {
    const { status, out, err } = await runMain(...argv);
    expect({ status, out }).toEqual({ status: 2, out: '' });
    expect(err).not.toBe('');
  });

  it('accepts a span in unix seconds or RFC 3339', () => {
    const day = { start: 1794614400, end: 1794700800 };
    expect(parseSpan('1794614400,1794700800')).toEqual(day);
    expect(parseSpan('2026-11-14T00:00:00Z,2026-11-15T00:00:00Z')).toEqual(day);
    expect(() => parseSpan('2026-11-14T00:00:00Z')).toThrow('START,END');
  });

  it('reports an error by code, what happened, to what, and what to do', async () => {
    const { status, out, err } = await runMain('status', '--config', '/nowhere/settings.yaml');
    expect({ status, out }).toEqual({ status: 2, out: '' });
    expect(err).toMatch(
      /^SETTINGS_INVALID: There is no settings file \/nowhere\/settings\.yaml\. \(key \/nowhere\/settings\.yaml\)\n {2}Pass the right file/,
    );
    expect(err).not.toContain('    at ');
  });

  it('ends quietly if nobody reads what it prints', async () => {
    const program = join(__dirname, '../../scripts/federated-etl.cjs');
    const file = join(__dirname, '../golden/edge/versions/assets.v21');
    const child = spawn(process.execPath, [program, 'inspect', file], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    let err = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    const [status] = (await once(child, 'close')) as [number | null];
    expect({ status, err }).toEqual({ status: 0, err: '' });
  });

  it('fails with one sentence if its output cannot be written, as on a full disk', async () => {
    const program = join(__dirname, '../../scripts/federated-etl.cjs');
    // A file that is open only for reading. Writing to it fails.
    const unwritable = openSync(program, 'r');
    const child = spawn(process.execPath, [program, '--version'], { stdio: ['ignore', unwritable, 'pipe'] });
    closeSync(unwritable);
    let err = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (err += text));
    const [status] = (await once(child, 'close')) as [number | null];
    expect({ status, err }).toEqual({
      status: 1,
      err: expect.stringMatching(/^Standard output cannot be written: .*\n$/) as string,
    });
  });

  it('keeps its exit status if nobody reads what it says', async () => {
    const program = join(__dirname, '../../scripts/federated-etl.cjs');
    const child = spawn(process.execPath, [program, 'status', '--config', '/nowhere.yaml'], {
      stdio: 'pipe',
    });
    child.stderr.destroy();
    expect(await once(child, 'close')).toEqual([2, null]);
  });

  it('shows where an error comes from only on request', async () => {
    const { err } = await runMain('status', '--verbose', '--config', '/nowhere/settings.yaml');
    expect(err).toContain('    at ');
    expect(err).toContain('caused by');
  });

  it('shows no secret in the causes of an error', async () => {
    keepSecret('pl4nted-s3cret');
    const { err } = await runMain('status', '--verbose', '--config', '/nowhere/pl4nted-s3cret/settings.yaml');
    expect(err).toContain('caused by');
    expect(err).toContain('/nowhere/***/settings.yaml');
    expect(err).not.toContain('pl4nted-s3cret');
  });
});

function pathOf(verb: Command): string[] {
  return verb.parent === null ? [] : [...pathOf(verb.parent), verb.name()];
}
