import { type Browser, chromium, type Page } from 'playwright-core';
import { Registry } from 'prom-client';
import type { RunningServer } from '../../api/listen';
import { startServer } from '../../api/server';
import { silentLog } from '../../config/log';
import { defaultAliases } from '../../query/aliases';
import type { QueryEngine } from '../../query/engine';
import { bundlePage } from '../../web/bundle';
import { rememberingFederation, token, window } from '../api/served';
import { goldenEngine, openEngine } from '../query/engine-over';
import { findChromium } from '../servers/chromium';
import { describeWith } from '../servers/describe-with';
import { manyAllocations } from './many-allocations';

jest.setTimeout(60_000);
const found = findChromium();

describeWith(found.path === undefined ? found.reason : undefined, 'the page over the real server', () => {
  let engine: Awaited<ReturnType<typeof goldenEngine>>;
  let server: RunningServer;
  let browser: Browser;
  const federation = rememberingFederation();
  const complaints: string[] = [];

  const serve = async (answers: QueryEngine) =>
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
    });

  beforeAll(async () => {
    engine = await goldenEngine();
    server = await serve(engine);
    browser = await chromium.launch({ executablePath: found.path, args: ['--no-sandbox'] });
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    engine?.dispose();
  });

  const at = (state: Record<string, string>, url = server.url) =>
    `${url}/?${new URLSearchParams(state).toString()}`;

  /** Opens a page; whatever it asks of another host, or complains about, is noted. */
  async function open(url: string): Promise<Page> {
    complaints.splice(0);
    const page = await (await browser.newContext({ viewport: { width: 1280, height: 900 } })).newPage();
    page.on('request', (request) => {
      if (!request.url().startsWith('http://127.0.0.1:')) complaints.push(`asked ${request.url()}`);
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(url);
    return page;
  }

  const rowsOf = (page: Page) => page.locator('tbody tr:not(.gap) th').allInnerTexts();

  it('shows what five clusters cost, and leads deeper', async () => {
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

  it('excludes a cluster with the operator token', async () => {
    const page = await open(at({ view: 'clusters' }));
    await page.getByRole('button', { name: 'Operator token' }).click();
    await page.getByRole('textbox', { name: 'Token' }).fill(token);
    await page.getByRole('button', { name: 'Use it' }).click();
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

  it('says before the first generation that there is nothing yet', async () => {
    const empty = await openEngine();
    const early = await serve(empty);
    try {
      const page = await open(at({}, early.url));
      await page.getByRole('heading', { name: 'Nothing to show yet' }).waitFor();
    } finally {
      await early.close();
      empty.dispose();
    }
  });

  it('keeps 10,000 rows at hand and few of them in the document', async () => {
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
