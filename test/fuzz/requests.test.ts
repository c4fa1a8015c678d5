import { Registry } from 'prom-client';
import { startServer } from '../../api/server';
import { silentLog } from '../../config/log';
import { runRequests } from '../../fuzz/requests/run-requests';
import { defaultAliases } from '../../query/aliases';
import { now } from '../api/served';
import { runs } from '../etl/run-counts';
import { goldenEngine } from '../query/engine-over';

test('hostile requests are answered or refused, and the server stays alive', async () => {
  const engine = await goldenEngine();
  const server = await startServer({
    listen: '127.0.0.1:0',
    answers: engine,
    currency: 'EUR',
    aliases: defaultAliases,
    utcOffsetSeconds: 0,
    assetsFlavour: 'kubecost',
    openRead: false,
    metrics: new Registry(),
    log: silentLog,
    revision: () => '1',
    now: () => now,
  });
  try {
    const data = { start: 1_794_614_400, end: 1_794_873_600 };
    const { counts, failures } = await runRequests({
      url: server.url,
      seed: 20261114,
      from: 0,
      to: runs(250, 10_000),
      data,
    });
    expect(failures).toEqual([]);
    expect(counts.get('/model/allocation')?.get(200)).toBeGreaterThan(1);
  } finally {
    await server.close();
    engine.dispose();
  }
});
