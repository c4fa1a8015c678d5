import type { Browser, Locator, Page } from 'playwright-core';
import { Registry } from 'prom-client';
import type { RunningServer } from '../../api/listen';
import type { ServerOptions } from '../../api/options';
import { startServer } from '../../api/server';
import { silentLog } from '../../config/log';
import { defaultAliases } from '../../query/aliases';
import type { QueryEngine } from '../../query/engine';
import { bundlePage } from '../../web/bundle';
import { now, rememberingFederation, token, window } from '../api/served';
import { goldenEngine, openEngine } from '../query/engine-over';
import { findChromium } from '../servers/chromium';
import { describeWith } from '../servers/describe-with';
import { newWindow, startChromium } from './chromium';
import { manyAllocations } from './many-allocations';

const found = findChromium();

describeWith(found.path === undefined ? found.reason : undefined, 'the page over the real server', () => {
  let engine: Awaited<ReturnType<typeof goldenEngine>>;
  let server: RunningServer;
  let browser: Browser;
  const federation = rememberingFederation();
  const complaints: string[] = [];

  const serve = async (answers: QueryEngine, options: Partial<ServerOptions> = {}) =>
    startServer({
      listen: '127.0.0.1:0',
      openRead: false,
      answers,
      federation,
      cluster: 'cluster-5',
      currency: 'USD',
      aliases: defaultAliases,
      utcOffsetSeconds: 0,
      assetsFlavour: 'kubecost',
      token,
      page: await bundlePage(),
      metrics: new Registry(),
      log: silentLog,
      revision: () => answers.state().ingestedAt ?? '',
      now: () => now,
      ...options,
    });

  beforeAll(async () => {
    engine = await goldenEngine();
    server = await serve(engine);
    // As if the owner of rebound.example had let this name resolve to this machine.
    browser = await startChromium(found.path ?? '', ['--host-resolver-rules=MAP rebound.example 127.0.0.1']);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    engine?.dispose();
  });

  const at = (state: Record<string, string>, url = server.url) =>
    `${url}/?${new URLSearchParams(state).toString()}`;

  /**
   * Opens a page whose clock shows `moment`. Adds each exception, and each request to another host, to `complaints`.
   */
  async function open(url: string, moment = now): Promise<Page> {
    complaints.splice(0);
    const context = await newWindow(browser);
    await context.clock.setFixedTime(moment * 1_000);
    const page = await context.newPage();
    page.on('request', (request) => {
      if (!request.url().startsWith('http://127.0.0.1:')) complaints.push(`asked ${request.url()}`);
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(url);
    return page;
  }

  const rowsOf = (page: Page) => page.locator('tbody tr:not(.gap) th').allInnerTexts();

  it('shows the costs of five clusters, and drills down', async () => {
    const page = await open(at({ window }));
    await page.locator('tbody a', { hasText: 'cluster-2' }).waitFor();
    const clusters = ['cluster-2', 'Idle', 'cluster-3', 'cluster-4', 'cluster-5', 'cluster-1'];
    expect(await rowsOf(page)).toEqual(clusters);
    expect(await page.locator('tfoot').innerText()).toMatch(/6 rows.*\$4,099\.84/s);
    await page.getByRole('link', { name: 'cluster-2' }).click();
    await page.locator('tbody', { hasText: 'payments' }).waitFor();
    expect(new URL(page.url()).searchParams.get('aggregate')).toBe('namespace');
    await page.goBack();
    await page.locator('tbody a', { hasText: 'cluster-3' }).waitFor();
    expect(complaints).toEqual([]);
  });

  describe('bars and table', () => {
    /** Reads the amounts of money in a row. Ignores other cells, such as the efficiency. */
    const amounts = async (row: Locator, cells: string) =>
      (await row.locator(cells).allInnerTexts())
        .filter((text) => text.includes('$'))
        .map((text) => Number(text.replace(/[$,]/g, '')));
    const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
    const oneDay = '2026-11-16T00:00:00Z,2026-11-17T00:00:00Z';
    /**
     * Tolerance when a sum of `count` rounded amounts is compared with a rounded total. Each amount and the total can
     * be off by half a cent, in addition to floating-point errors.
     */
    const within = (count: number) => 0.005 * (count + 1) + 1e-6;
    const expectNear = (value: number | undefined, other: number, count: number) =>
      expect(Math.abs((value ?? NaN) - other)).toBeLessThan(within(count));

    it.each([
      ['days', { bars: '' }, 3, 4_099.84],
      // The window is a Saturday, a Sunday and a Monday. Weeks begin on Sunday, so these days fall into two weeks.
      ['weeks', { bars: 'week' }, 2, 4_099.84],
      ['months', { bars: 'month' }, 1, 4_099.84],
      ['hours, of which four are stored', { bars: 'hour', window: oneDay }, 24, 277.66],
      ['days, of one day', { bars: '', window: oneDay }, 1, 1_366.31],
      ['days, of containers', { aggregate: 'container' }, 3, 4_099.84],
    ])('have the same total in %s', async (_, state, count, total) => {
      const page = await open(at({ window, ...state }));
      await page.locator('tbody th[scope=row]').first().waitFor();
      expect((await amounts(page.locator('tfoot tr'), 'td')).at(-1)).toBeCloseTo(total, 2);
      await page.getByText('Chart data as a table').click();
      const bars = page.locator('.numbers tbody tr');
      // Opening the data table only starts the rendering of its rows, so wait for the footer.
      await page.locator('.numbers tfoot tr').waitFor();
      expect(await bars.count()).toBe(count);
      const foot = await amounts(page.locator('.numbers tfoot tr'), 'td');
      expect(foot.at(-1)).toBeCloseTo(total, 2);
      const shown = await Promise.all((await bars.all()).map((bar) => amounts(bar, 'td')));
      expectNear(foot.at(-1), sum(shown.map((bar) => bar.at(-1) ?? NaN)), count);
      for (const bar of [...shown, foot]) expectNear(bar.at(-1), sum(bar.slice(0, -1)), bar.length);
      expect(complaints).toEqual([]);
    });

    it.each(['show', 'split', 'share', 'hide'])(
      'have rows whose columns are their total, with idle: %s',
      async (idle) => {
        const page = await open(at({ window, idle, aggregate: 'namespace' }));
        await page.locator('tbody th[scope=row]').first().waitFor();
        const names = await rowsOf(page);
        const rows = await Promise.all(
          (await page.locator('tbody tr').all()).map((row) => amounts(row, 'td')),
        );
        for (const row of rows) expectNear(row.at(-1), sum(row.slice(0, -1)), row.length);
        const foot = await amounts(page.locator('tfoot tr'), 'td');
        expectNear(foot.at(-1), sum(rows.map((row) => row.at(-1) ?? NaN)), rows.length);
        expectNear(foot.at(-1), sum(foot.slice(0, -1)), foot.length);
        expect(foot.at(-1)).toBeCloseTo(idle === 'hide' ? 2_645.55 : 4_099.84, 2);
        // If idle costs are shared, one idle row remains: idle costs of nodes without any usage cannot be shared.
        expect(names.filter((name) => name.includes('Idle')).length).toBe(
          { show: 1, split: 5, share: 1, hide: 0 }[idle],
        );
        expect(complaints).toEqual([]);
      },
    );
  });

  describe('the default window', () => {
    const days = '2026-11-14 to 2026-11-16';

    it('is the last seven days if these have data', async () => {
      const page = await open(at({}));
      await page.locator('tfoot', { hasText: '$4,099.84' }).waitFor();
      expect(await page.getByLabel('Window').inputValue()).toBe('7d');
      expect(await page.locator('.about').last().innerText()).toContain('2026-11-11 to 2026-11-17 (UTC)');
      expect(await page.getByText('No data in the last seven days').count()).toBe(0);
    });

    it('is the most recent days with data, with a notice, until another is chosen', async () => {
      const later = now + 30 * 86_400;
      const old = await serve(engine, { now: () => later });
      try {
        const page = await open(at({}, old.url), later);
        await page.locator('tfoot', { hasText: '$4,099.84' }).waitFor();
        const why = page.getByText(
          `No data in the last seven days. Showing the most recent days with data: ${days}.`,
        );
        await why.waitFor();
        expect(await page.getByRole('textbox', { name: 'From' }).inputValue()).toBe('2026-11-14');
        expect(await page.getByRole('textbox', { name: 'To' }).inputValue()).toBe('2026-11-16');
        await page.getByRole('link', { name: 'Assets' }).click();
        await page.locator('tfoot', { hasText: '$4,377.92' }).waitFor();
        await why.waitFor();
        await page.getByLabel('Window').selectOption('7d');
        await page.getByText('No assets in this window').waitFor();
        expect(await why.count()).toBe(0);
        expect(complaints).toEqual([]);
      } finally {
        await old.close();
      }
    });
  });

  it('shows assets also if these are configured to be answered as by OpenCost', async () => {
    const opencost = await serve(engine, { assetsFlavour: 'opencost' });
    try {
      const page = await open(at({ view: 'assets', window }, opencost.url));
      await page.locator('tfoot', { hasText: '$4,377.92' }).waitFor();
      expect(await rowsOf(page)).toHaveLength(7);
    } finally {
      await opencost.close();
    }
  });

  it('excludes a cluster with the operator token', async () => {
    const page = await open(at({ view: 'clusters' }));
    await page.getByRole('button', { name: 'Operator token' }).click();
    await page.getByRole('textbox', { name: 'Token' }).fill(token);
    await page.getByRole('button', { name: 'Use token' }).click();
    await page
      .getByRole('row', { name: /cluster-1/ })
      .getByRole('button', { name: 'Exclude' })
      .click();
    await page.getByLabel(/Reason/).fill('wrong prices');
    await page.getByRole('dialog').getByRole('button', { name: 'Exclude' }).click();
    await page.locator('.message p', { hasText: 'exclude cluster-1 wrong prices.' }).waitFor();
    expect(federation.asked).toEqual(['exclude cluster-1 wrong prices']);
    expect(complaints).toEqual([]);
  });

  it('does not show costs to a page of another name that resolves to this machine', async () => {
    const { port } = new URL(server.url);
    const page = await (await newWindow(browser)).newPage();
    const refused = await page.goto(`http://rebound.example:${port}/?window=${window}`);
    expect(refused?.status()).toBe(421);
    // The page of the refusal has the attacker's origin, so its scripts can do what the attacker's could.
    const statuses = await page.evaluate(async () => {
      const uri = '/api/v1/namespaces/kubecost/services/fe:9003/proxy/allocation';
      const tries: RequestInit[] = [
        {},
        { headers: { 'x-forwarded-host': 'localhost', 'x-forwarded-uri': uri } },
        { headers: { 'x-forwarded-uri': uri, 'accept-encoding': 'gzip', 'accept-language': '' } },
        { headers: { host: 'localhost', 'x-forwarded-uri': uri }, referrerPolicy: 'no-referrer' },
      ];
      return Promise.all(tries.map(async (init) => (await fetch('/getConfigs', init)).status));
    });
    expect(statuses).toEqual([421, 421, 421, 421]);
    await page.close();
  });

  it.each(['/', '/api/docs/'])(
    'cannot be made at %s to send a form, load a script or change its links',
    async (path) => {
      const page = await open(`${server.url}${path}`);
      await page.waitForLoadState('load');
      // What an injected element could do. A form's violation is reported even though the form points to this server.
      const refused = await page.evaluate<string[]>(`new Promise((resolve) => {
      const directives = [];
      document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => {
        directives.push(effectiveDirective);
        if (directives.length === 4) resolve(directives.sort());
      });
      const add = (name, properties) => document.body.appendChild(Object.assign(document.createElement(name), properties));
      add('base', { href: 'http://127.0.0.1:1/' });
      add('script', { textContent: 'window.pwned = 1' });
      add('script', { src: 'http://127.0.0.1:1/x.js' });
      add('form', { action: '/api/federations', method: 'post' }).submit();
    })`);
      expect(refused).toEqual(['base-uri', 'form-action', 'script-src-elem', 'script-src-elem']);
      expect(await page.evaluate(`[document.baseURI, 'pwned' in window]`)).toEqual([page.url(), false]);
      expect(page.url()).toContain(path);
    },
  );

  it('reports before the first generation that there is no data yet', async () => {
    const empty = await openEngine();
    const early = await serve(empty);
    try {
      const page = await open(at({}, early.url));
      await page.getByRole('heading', { name: 'No data yet' }).waitFor();
    } finally {
      await early.close();
      empty.dispose();
    }
  });

  it('keeps 10,000 rows available and few of them in the document', async () => {
    const many = await openEngine();
    await many.serve([manyAllocations(10_000)], { generation: 1, ingestedAt: 'a' });
    const large = await serve(many);
    try {
      const day = '2026-11-14T00:00:00Z,2026-11-15T00:00:00Z';
      const page = await open(at({ window: day, aggregate: 'pod', idle: 'hide' }, large.url));
      await page.locator('tfoot', { hasText: '10000 rows' }).waitFor();
      expect(await page.locator('tbody tr').count()).toBeLessThan(100);
      await page.getByRole('button', { name: 'Pod', exact: true }).click();
      await page.locator('tbody tr th', { hasText: 'pod-00000' }).waitFor();
    } finally {
      await large.close();
      many.dispose();
    }
  });
});
