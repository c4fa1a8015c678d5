import { randomUUID } from 'node:crypto';
import type { Client, WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { asActivities } from '../../workers/as-activity';
import { ensureSearchAttributes } from '../../workers/search-attributes';
import { workflowBundle } from '../../workers/workflow-bundle';
import type { federation, FederationInput } from '../../workflows/federation';
import { names } from '../../workflows/names';
import { connectToTestServer, type TestServer } from '../servers/temporal';
import { until } from '../until';
import { type Activities, allGoesWell, asCounted, type Doubles } from './doubles';

/** A call of an activity. */
export interface Call {
  readonly name: keyof Activities;
  readonly input: unknown;
}

/**
 * Time limit of a workflow. If a workflow hangs, the server ends it after this time, and the test that waits for it
 * fails.
 */
const longest = '110s';

/**
 * A test environment for workflows: runs the real workflows on a real server, in a separate namespace, with doubles of
 * the activities. Tests cannot use it concurrently, because `begin` replaces the doubles and clears the recorded calls.
 */
export class WorkflowWorld implements AsyncDisposable {
  /** All calls of activities since the last call of `begin`, in order. */
  calls: Call[] = [];
  private doubles = allGoesWell();
  private workers: { worker: Worker; run: Promise<void> }[] = [];

  private constructor(
    readonly server: TestServer,
    readonly namespace: string,
    readonly client: Client,
  ) {}

  /**
   * Connects to the server and starts the workers. `mergeSlots` limits how many windows are merged at the same time.
   * (Default: the limit of Temporal's SDK)
   */
  static async open({ mergeSlots }: { mergeSlots?: number } = {}): Promise<WorkflowWorld> {
    // Turn off the workers' log: it would describe at length the errors that most tests cause on purpose.
    Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined) });
    const server = await connectToTestServer();
    const namespace = await server.createNamespace();
    await ensureSearchAttributes(server.connection, namespace);
    const world = new WorkflowWorld(server, namespace, server.client(namespace));
    await world.serve(mergeSlots);
    return world;
  }

  /** Prepares for the next test. Activities succeed unless `doubles` replaces them. */
  begin(doubles: Doubles = {}): void {
    this.calls = [];
    this.doubles = { ...allGoesWell(), ...doubles };
  }

  /** Replaces more activities. Activities that were replaced before remain replaced. */
  become(doubles: Doubles): void {
    this.doubles = { ...this.doubles, ...doubles };
  }

  /** Returns the inputs of all calls of an activity so far. */
  inputs<Name extends keyof Activities>(name: Name): Parameters<Activities[Name]>[0][] {
    return this.calls
      .filter((call) => call.name === name)
      .map((call) => call.input as Parameters<Activities[Name]>[0]);
  }

  names(): (keyof Activities)[] {
    return this.calls.map(({ name }) => name);
  }

  /** Starts a federation as an operator would. */
  federate(
    changes: Partial<FederationInput> = {},
  ): Promise<WorkflowHandleWithFirstExecutionRunId<typeof federation>> {
    return this.client.workflow.start<typeof federation>('federation', {
      workflowId: names('').federation(randomUUID()),
      taskQueue: names('').federationQueue,
      args: [{ idPrefix: '', request: { trigger: 'person' }, ...changes }],
      workflowExecutionTimeout: longest,
    });
  }

  /** Returns options for starting a workflow other than a federation. */
  options(id: string = randomUUID()) {
    return {
      workflowId: id,
      taskQueue: names('').federationQueue,
      workflowExecutionTimeout: longest,
    } as const;
  }

  /** Waits until an activity has been called at least `times` times. */
  async untilCalled(name: keyof Activities, times = 1): Promise<void> {
    await until(`${times} calls of ${name}`, () => (this.inputs(name).length >= times ? true : undefined));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { worker } of this.workers) worker.shutdown();
    await Promise.all(this.workers.map(({ run }) => run));
    await this.server.close();
  }

  private async serve(mergeSlots?: number): Promise<void> {
    const common = {
      connection: this.server.nativeConnection,
      namespace: this.namespace,
      identity: 'test',
      activities: asActivities(
        asCounted(
          () => this.doubles,
          (name, input) => this.calls.push({ name, input }),
        ),
      ),
      shutdownForceTime: '5s',
      // Send heartbeats often, because an activity only notices that it is cancelled when it sends one.
      maxHeartbeatThrottleInterval: '100ms',
    } as const;
    const { federationQueue, mergeQueue } = names('');
    for (const options of [
      { ...common, taskQueue: federationQueue, workflowBundle: await workflowBundle() },
      { ...common, taskQueue: mergeQueue, maxConcurrentActivityTaskExecutions: mergeSlots },
    ]) {
      const worker = await Worker.create(options);
      this.workers.push({ worker, run: worker.run() });
    }
  }
}
