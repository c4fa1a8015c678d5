import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import type { Log } from '../config/log';
import { SdkLines } from './sdk-line';

/** URL at which the native part of the SDK serves its metrics. Undefined before the runtime is installed. */
let metricsUrl: string | undefined;

/**
 * Redirects the log messages of the Temporal SDK to our log, including those of its native part, which otherwise writes
 * coloured text to standard output. Also makes its metrics available to `sdkMetrics`. Call it before each attempt to
 * connect: the SDK shuts its runtime down after a failed attempt, and would then start one with its own settings.
 */
export async function ensureRuntime(log: Log): Promise<void> {
  for (let attempt = 1; Runtime._instance === undefined; attempt++) {
    // Make the last attempt without metrics, because a worker must not depend on them.
    const address = attempt < installAttempts ? await freeLoopbackAddress() : undefined;
    if (Runtime._instance !== undefined) return;
    try {
      install(log, address);
      metricsUrl = address === undefined ? undefined : `http://${address}/metrics`;
    } catch (error) {
      // Try again with another port, because another process may have taken this one in the meantime.
      if (address === undefined) throw error;
    }
  }
}

const installAttempts = 5;

function install(log: Log, metricsAddress: string | undefined): void {
  const lines = new SdkLines();
  Runtime.install({
    logger: new DefaultLogger('INFO', ({ level, message, meta }) => {
      const line = lines.convert(level, message, meta);
      log[line.level]({ event: 'temporal', ...line.fields }, line.message);
    }),
    telemetryOptions: {
      logging: { filter: { core: 'WARN', other: 'ERROR' }, forward: {} },
      ...(metricsAddress !== undefined && {
        metrics: {
          attachServiceName: false,
          prometheus: {
            bindAddress: metricsAddress,
            countersTotalSuffix: true,
            unitSuffix: true,
            useSecondsForDurations: true,
          },
        },
      }),
    },
    // Prevent the SDK from handling signals: the caller of `runRoles` decides when the workers stop.
    shutdownSignals: [],
  });
}

/**
 * Returns a loopback address with a free port, because the SDK cannot choose a port itself. Returns undefined if there
 * is none.
 */
async function freeLoopbackAddress(): Promise<string | undefined> {
  const server = createServer();
  try {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { address, port } = server.address() as AddressInfo;
    await once(server.close(), 'close');
    return `${address}:${port}`;
  } catch {
    return undefined;
  }
}

const answerWithinMs = 2_000;

/**
 * Returns the metrics of the SDK's native part (`temporal_…`) in Prometheus' text format. Returns an empty text if
 * there are none yet, or if they cannot be read, because our own metrics must not depend on them.
 */
export async function sdkMetrics(): Promise<string> {
  if (metricsUrl === undefined) return '';
  try {
    const answer = await fetch(metricsUrl, { signal: AbortSignal.timeout(answerWithinMs) });
    return answer.ok ? await answer.text() : '';
  } catch {
    return '';
  }
}
