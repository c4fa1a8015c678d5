import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Supervised } from '../../chaos/supervised';
import { until } from '../until';

test.each([
  ["console.log('the last line'); process.exitCode = 3;", 'with exit code 3', 'the last line'],
  ["throw new Error('no more');", 'with exit code 1', 'no more'],
  ["process.kill(process.pid, 'SIGABRT');", 'by SIGABRT', ''],
])(
  'a process that ends by itself is reported, with how and what it logged last: %s',
  async (code, how, last) => {
    const dir = await mkdtemp(path.join(os.tmpdir(), 'federated-etl-test-'));
    const script = path.join(dir, 'script.cjs');
    await writeFile(script, code);
    const ends: string[] = [];
    const files = { config: '', log: path.join(dir, 'log') };
    const one = new Supervised('agent', 'agent', script, files, (end) => void ends.push(end));
    await until('the end', () => ends.length > 0);
    await one.stop();
    await rm(dir, { recursive: true });
    expect(ends[0]).toContain(how);
    expect(ends[0]).toContain(last);
  },
);

test('a process that is killed or restarted is not', async () => {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'federated-etl-test-'));
  const script = path.join(dir, 'script.cjs');
  await writeFile(script, "process.send('ready'); setInterval(() => undefined, 1_000);");
  const ends: string[] = [];
  const files = { config: '', log: path.join(dir, 'log') };
  const one = new Supervised('agent', 'agent', script, files, (end) => void ends.push(end));
  await until('the process', () => one.isReady());
  expect(one.kill()).toBe(true);
  expect(one.kill()).toBe(false);
  await until('its end', () => !one.isReady());
  await until('the process', () => one.isReady());
  await one.restart();
  await one.stop();
  await rm(dir, { recursive: true });
  expect(ends).toEqual([]);
});
