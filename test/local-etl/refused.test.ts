import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { instanceOf } from '../../local-etl/instance';
import { hasFiles } from '../../local-etl/list';
import { localEtl } from '../../local-etl/store';
import { writeAtomically, writeQuickly } from '../../local-etl/write';

const nobody = 65_534;

describe('a volume of another user', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'federated-etl-refused-'));
    await mkdir(path.join(folder, 'etl/bingen'), { recursive: true });
    await chmod(folder, 0o755);
    await chmod(path.join(folder, 'etl/bingen'), 0o000);
    await chmod(path.join(folder, 'etl'), 0o555);
    // Root may read every file, so the test would not work as root. Switch to another user.
    if (process.getuid?.() === 0) process.seteuid?.(nobody);
  });
  afterEach(async () => {
    if (process.getuid?.() === 0) process.seteuid?.(0);
    await chmod(path.join(folder, 'etl/bingen'), 0o755);
    await chmod(path.join(folder, 'etl'), 0o755);
    await rm(folder, { recursive: true, force: true });
  });

  const refused = { code: 'LOCAL_ETL_REFUSED', detail: expect.stringContaining('EACCES') };

  it('is distinguished from a fault of the program, wherever it occurs', async () => {
    const store = localEtl(path.join(folder, 'etl'));
    await expect(instanceOf(store)).rejects.toMatchObject({
      ...refused,
      subject: { key: path.join(store.state, 'instance.json') },
      detail: expect.stringMatching(/EACCES, as user \d+\): .*\/\.federated-etl\/instance\.json\.$/),
    });
    await expect(writeAtomically(path.join(store.root, 'new'), Buffer.from('x'))).rejects.toMatchObject(
      refused,
    );
    await expect(writeQuickly(path.join(store.root, 'new'), Buffer.from('x'))).rejects.toMatchObject(refused);
    await expect(hasFiles(store)).rejects.toMatchObject({
      ...refused,
      detail: expect.stringMatching(/EACCES, as user \d+\): .*\/bingen\.$/),
    });
  });
});
