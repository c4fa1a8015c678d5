import { allocationFields } from '../../query/request';
import { runs } from '../etl/run-counts';
import { ask, useGoldenServer, window } from './served';

const golden = useGoldenServer();

type Parameters = Record<string, string>;
type Page = Record<string, Record<string, unknown>>;

async function pageOf(parameters: Parameters): Promise<Page> {
  const { status, data } = await ask(golden.app, '/model/allocation', {
    window,
    accumulate: 'true',
    ...parameters,
  });
  expect([parameters, status, data.length]).toEqual([parameters, 200, 1]);
  return data[0] as Page;
}

const isIdle = (name: string) => name.includes('__idle__');
const nothing = (page: Page) => Object.keys(page).length === 0;

/**
 * Requests one page of rows after another, as an exporter does. Stops when `more` returns false for a page. Returns all
 * rows, keyed by name. Checks that no row is on more than one page, except idle rows.
 */
async function allPages(
  parameters: Parameters,
  limit: number,
  more: (page: Page) => boolean,
): Promise<{ rows: Page; pages: number }> {
  const rows: Page = {};
  // Limit the number of pages. If pagination never ends, which is a bug, the test must fail instead of hanging.
  for (let pages = 1; pages <= 1_000; pages++) {
    const offset = String((pages - 1) * limit);
    const page = await pageOf({ ...parameters, limit: String(limit), offset });
    for (const [name, row] of Object.entries(page)) {
      if (!isIdle(name)) expect([name, rows[name]]).toEqual([name, undefined]);
      rows[name] = row;
    }
    if (!more(page)) return { rows, pages };
  }
  throw new Error(`endless pages for ${JSON.stringify(parameters)}`);
}

/**
 * The groupings to test. Quick runs omit most groupings by a single field, because pagination does not depend on the
 * grouping.
 */
const groupings = [
  ...runs<readonly string[]>(['cluster', 'namespace', 'pod', 'controllerKind'], allocationFields),
  ...['all', 'label:app', 'annotation:team', 'namespaceLabel:team', 'team', 'cluster,namespace'],
  'cluster,node,namespace,pod,container',
];

describe('pages', () => {
  const idle = { idle: 'true', shareIdle: 'false' };

  it.each(groupings)(
    'by %s are complete for an exporter that stops at a page no larger than the limit',
    async (aggregate) => {
      const whole = await pageOf({ ...idle, aggregate });
      const limit = Math.ceil(Object.keys(whole).length / 3);
      // This exporter stops at the first page with at most `limit` rows. A full page has more: `limit` rows and the
      // idle rows.
      const asked = await allPages({ ...idle, aggregate }, limit, (page) => Object.keys(page).length > limit);
      expect(asked.rows).toEqual(whole);
      expect(Object.keys(whole).some(isIdle)).toBe(true);
    },
  );

  it.each(groupings)('by %s without idle are complete, ending with an empty one', async (aggregate) => {
    const whole = await pageOf({ idle: 'false', aggregate });
    const limit = Math.ceil(Object.keys(whole).length / 3);
    const { rows, pages } = await allPages({ idle: 'false', aggregate }, limit, (page) => !nothing(page));
    expect(rows).toEqual(whole);
    expect(pages).toBe(Math.ceil(Object.keys(whole).length / limit) + 1);
  });

  it('end even if there are more rows of idle than the limit', async () => {
    const parameters = { ...idle, aggregate: 'namespace', splitIdle: 'true', idleByNode: 'true' };
    const whole = await pageOf(parameters);
    const idleNames = Object.keys(whole).filter(isIdle);
    expect(idleNames.length).toBeGreaterThan(2);
    const { rows } = await allPages(parameters, 2, (page) => Object.keys(page).length > 2);
    expect(rows).toEqual(whole);
    const last = await pageOf({ ...parameters, limit: '2', offset: '100000' });
    expect(last).toEqual({});
    const first = await pageOf({ ...parameters, limit: '0' });
    expect(Object.keys(first).sort()).toEqual(idleNames.sort());
  });

  it('are in the requested order', async () => {
    const parameters = { idle: 'false', aggregate: 'pod', sortBy: 'ramCost', sortByOrder: 'asc' };
    const inOrder = async (page: Parameters) => {
      const { text } = await ask(golden.app, '/model/allocation', {
        window,
        accumulate: 'true',
        ...parameters,
        ...page,
      });
      return [...text.matchAll(/"ramCost":([^,]*),/g)].map(([, cost]) => Number(cost));
    };
    const whole = await inOrder({});
    expect(whole).toEqual([...whole].sort((a, b) => a - b));
    expect(new Set(whole).size).toBeGreaterThan(5);
    expect(await inOrder({ offset: '5', limit: '10' })).toEqual(whole.slice(5, 15));
  });

  it('are taken from each set of an answer', async () => {
    const parameters = { window, ...idle, aggregate: 'namespace', accumulate: 'day' };
    const { data: whole } = await ask(golden.app, '/model/allocation', parameters);
    const { data: pages } = await ask(golden.app, '/model/allocation', {
      ...parameters,
      limit: '2',
      offset: '1',
    });
    expect(pages).toHaveLength(3);
    for (const [index, page] of (pages as Page[]).entries()) {
      const names = Object.keys((whole as Page[])[index] ?? {});
      const others = names.filter((name) => !isIdle(name)).slice(1, 3);
      expect(Object.keys(page)).toEqual(names.filter((name) => isIdle(name) || others.includes(name)));
    }
  });
});
