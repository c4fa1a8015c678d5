import { resolve } from 'node:path';
import { Registry } from 'prom-client';
import { describePassedOver, notesOf } from '../activities/file-notes';
import { startReadThreads } from '../activities/threads/read-threads';
import { startServer } from '../api/server';
import { createLog } from '../config/log';
import { defaultSettings } from '../config/settings';
import { count } from '../federation/count';
import type { PassedOverPlaces } from '../local-etl/passed-over';
import { localEtl, requireLocalEtl } from '../local-etl/store';
import { openEngine } from '../operator/open-engine';
import {
  describeUnreadable,
  onEachChange,
  reportOnce,
  serveLocalEtl,
  type ServeLocalOptions,
} from '../operator/serve-local';
import type { IngestSummary } from '../query/ingest';
import { bundlePage } from '../web/bundle';
import { mostUnpacked } from '../workers/capacity';
import { Releasers } from '../workers/releasers';
import type { CommandOptions } from './context';
import { print } from './output';
import { showProgress } from './progress';
import { stopOnSignals } from './stop-on-signals';

export interface ServeOptions extends CommandOptions {
  readonly etl: string;
  readonly listen: string;
  readonly database?: string;
  readonly currency: string;
  readonly openRead?: true;
  readonly host?: readonly string[];
}

/** Serves the API and the page until a signal asks it to stop. */
export async function serve(options: ServeOptions): Promise<void> {
  const { etl, listen, database, currency, openRead, host, verbose } = options;
  const store = localEtl(resolve(etl));
  await requireLocalEtl(store);
  const log = createLog({ level: verbose ? 'debug' : 'warn', format: 'auto' });
  const signal = stopOnSignals(log);
  await using engine = await openEngine({ folder: database, verb: 'serve' });
  await using releasers = new Releasers();
  const threads = startReadThreads({ mostUnpacked: mostUnpacked() });
  releasers.defer(() => threads.close());
  const { api } = defaultSettings();
  const server = await startServer({
    listen,
    answers: engine,
    currency,
    aliases: api.aliases,
    utcOffsetSeconds: api.utcOffsetSeconds,
    assetsFlavour: api.assets,
    openRead: openRead === true,
    hosts: host,
    page: await bundlePage(),
    metrics: new Registry(),
    log,
    revision: () => engine.state().ingestedAt ?? '',
  });
  releasers.defer(() => server.close());
  print(`The API and the page are at ${server.url}`);
  const onUnreadable = reportOnce((file) =>
    log.warn({ event: 'serve.left-out', code: file.code, key: file.name }, describeUnreadable(file)),
  );
  let passedOver = '';
  const onPassedOver = (places: PassedOverPlaces) => {
    const notes = notesOf(places);
    const text = describePassedOver(notes).join(' ');
    if (text !== '' && text !== passedOver)
      log.warn(
        { event: 'serve.passed-over', unreadable: notes.unreadable.count, links: notes.links.count },
        `The rest of the local ETL is served: ${text}`,
      );
    passedOver = text;
  };
  await onEachChange(store, signal, async () => {
    const { ingested, rows } = await ingest({ engine, store, threads, signal, onUnreadable, onPassedOver });
    if (ingested > 0) print(`${count(ingested, 'window')} ingested, ${count(rows, 'row')}.`);
  });
}

async function ingest(options: Omit<ServeLocalOptions, 'progress'>): Promise<IngestSummary> {
  using progress = showProgress('ingest');
  return await serveLocalEtl({ ...options, progress: progress.update });
}
