import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { fuzzInputs } from './inputs/fuzz-inputs';
import { fuzzRequests } from './requests/fuzz-requests';

/**
 * `npm run fuzz`: with `--inputs`, tries damaged files; with `--requests`, sends requests to an API. `--only INDEX`
 * repeats one of them. Ends with status 1 if anything was wrong.
 */
async function fuzz(): Promise<void> {
  const { values } = parseArgs({
    options: {
      inputs: { type: 'string', default: '10000' },
      requests: { type: 'string' },
      rows: { type: 'string', default: '200000' },
      seed: { type: 'string', default: '1' },
      only: { type: 'string' },
      dir: { type: 'string', default: path.join(os.tmpdir(), 'federated-etl-fuzz') },
    },
  });
  const options = {
    seed: Number(values.seed),
    folder: values.dir,
    ...(values.only !== undefined && { only: Number(values.only) }),
  };
  const good =
    values.requests === undefined
      ? await fuzzInputs({ ...options, count: Number(values.inputs) })
      : await fuzzRequests({ ...options, count: Number(values.requests), rows: Number(values.rows) });
  if (!good) process.exitCode = 1;
}

void fuzz();
