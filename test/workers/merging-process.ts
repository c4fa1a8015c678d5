import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { MergeWindowInput } from '../../activities/merge-window';
import { noCalls } from '../../federation/store-calls';
import { asActivities } from '../../workers/as-activity';
import { names } from '../../workflows/names';
import { mergedWindow } from '../workflows/doubles';

/**
 * Runs the merge worker of a federator. Tests start this file as a separate process. The process sends a message when
 * it starts to merge a window, and completes no merge until it has received a message.
 */
async function main([address = '', namespace = '', identity = '']: string[]): Promise<void> {
  const requested = new Promise((resolve) => process.once('message', resolve));
  const mergeWindow = async ({ index }: MergeWindowInput) => {
    process.send?.('begun');
    await requested;
    return { ...mergedWindow(index), calls: noCalls() };
  };
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const connection = await NativeConnection.connect({ address });
  const worker = await Worker.create({
    connection,
    namespace,
    identity,
    taskQueue: names('').mergeQueue,
    activities: asActivities({ mergeWindow }),
    maxConcurrentActivityTaskExecutions: 2,
  });
  process.send?.('serves');
  await worker.run();
}

void main(process.argv.slice(2));
