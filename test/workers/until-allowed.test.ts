import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { silentLog } from '../../config/log';
import { FederationError } from '../../errors/federation-error';
import { instanceOf } from '../../local-etl/instance';
import { localEtl } from '../../local-etl/store';
import { untilAllowed } from '../../workers/until-allowed';
import { mounted } from '../query/full-disk';
import { describeWithMounts } from '../servers/read-only-volume';

describeWithMounts('a volume that is full at the first start', () => {
  it('is used as soon as there is room, and logged once until then', async () => {
    const disk = mounted();
    try {
      await writeFile(path.join(disk.folder, 'filler'), Buffer.alloc(8192));
      disk.limit(1);
      const error = jest.spyOn(silentLog, 'error');
      let refusals = 0;
      const refused = ({ code }: FederationError) => {
        expect(code).toBe('LOCAL_ETL_REFUSED');
        if (++refusals === 3) disk.free();
      };
      const patience = { log: silentLog, stop: new AbortController().signal, refused, everyMs: 1 };
      const opened = await untilAllowed(() => instanceOf(localEtl(disk.folder)), patience);
      expect(opened).toEqual(expect.any(String));
      expect(refusals).toBe(3);
      expect(error.mock.calls).toEqual([
        [
          expect.objectContaining({
            event: 'volume.refused',
            hint: expect.stringContaining('free some space'),
          }),
          expect.stringMatching(/no space left \(ENOSPC.*it then continues\.$/),
        ],
      ]);
    } finally {
      disk.dispose();
    }
  });
});

it('an error that is not about the volume, or a stop, ends the attempts', async () => {
  const stop = new AbortController();
  const patience = { log: silentLog, stop: stop.signal, refused: () => stop.abort() };
  const missing = new FederationError('LOCAL_ETL_MISSING', { detail: 'It is gone.' });
  await expect(untilAllowed(() => Promise.reject(missing), patience)).rejects.toBe(missing);
  expect(stop.signal.aborted).toBe(false);
  const refusal = new FederationError('LOCAL_ETL_REFUSED', { detail: 'It is full.' });
  await expect(untilAllowed(() => Promise.reject(refusal), patience)).rejects.toBe(refusal);
  expect(stop.signal.aborted).toBe(true);
});
