import { clearSettings } from '../servers/clear-environment';
import { WorkflowWorld } from '../workflows/workflow-world';
import { FederationFolder } from './federation-folder';

/**
 * Gives the tests of a file a world of workflows, and each test a federation in a folder whose settings name that
 * world's Temporal server. `use` gets both before each test.
 */
export function withWorldAndFolder(use: (world: WorkflowWorld, federation: FederationFolder) => void): void {
  let world: WorkflowWorld | undefined;
  let federation: FederationFolder | undefined;
  clearSettings();
  beforeAll(async () => {
    world = await WorkflowWorld.open();
  });
  afterAll(() => world?.[Symbol.asyncDispose]());
  beforeEach(async () => {
    if (world === undefined) throw new Error('The world was not opened.');
    const { server, namespace } = world;
    federation = await FederationFolder.create({ address: server.address, namespace });
    world.begin();
    use(world, federation);
  });
  afterEach(() => federation?.[Symbol.asyncDispose]());
}
