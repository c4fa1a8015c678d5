import { readFileSync } from 'node:fs';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { visibleText } from '../../etl/visible-text';
import { findChromium } from '../servers/chromium';
import { describeWith } from '../servers/describe-with';
import { until } from '../until';
import { newest, now, token } from './canned-answers';
import { newWindow, startChromium } from './chromium';
import { defaultAnswers, type ServedPage, servePage } from './served-page';

const found = findChromium();
const axe = readFileSync(require.resolve('axe-core'), 'utf8');
const views = ['allocations', 'assets', 'clusters', 'federations', 'generations'];
/**
 * Matches a number that is almost equal to `value`. The page rounds amounts to two decimals, so numbers can differ
 * slightly.
 */
const closely = (value: number) => expect.closeTo(value, 3) as number;
const hold = {
  generation: 10,
  by: 'ann@host',
  reason: 'numbers are wrong',
  at: new Date(now - 3 * 3_600_000).toISOString(),
};
const addressOf = (view: string) => (view === 'allocations' ? '/' : `/?view=${view}`);

describeWith(found.path === undefined ? found.reason : undefined, 'the page', () => {
  let served: ServedPage;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  /**
   * Descriptions of events that must not happen during a test: requests to other hosts, console errors and exceptions.
   */
  let wrong: string[];
  /** Matches the messages in `wrong` that the current test causes on purpose. */
  let foreseen: RegExp | undefined;

  beforeAll(async () => {
    served = await servePage();
    browser = await startChromium(found.path ?? '');
  });
  afterAll(async () => {
    await browser?.close();
    await served?.close();
  });

  beforeEach(async () => {
    Object.assign(served.canned, {
      error: undefined,
      ingesting: undefined,
      refused: undefined,
      hold: undefined,
      notes: undefined,
      schedule: undefined,
      conditions: undefined,
      toDo: undefined,
    });
    Object.assign(served.canned, defaultAnswers());
    served.asked.length = 0;
    foreseen = undefined;
    await open({});
  });
  afterEach(async () => {
    await context.close();
    expect(wrong.filter((one) => foreseen?.test(one) !== true)).toEqual([]);
  });

  async function open(options: Parameters<Browser['newContext']>[0]): Promise<void> {
    await context?.close();
    wrong = [];
    context = await newWindow(browser, options);
    await context.clock.setFixedTime(now);
    page = await context.newPage();
    page.on('request', (request) => {
      if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(served.url)) {
        wrong.push(`request to another host: ${request.url()}`);
      }
    });
    page.on('console', (message) => {
      if (message.type() === 'error') wrong.push(`console: ${message.text()}`);
    });
    page.on('pageerror', (error) => wrong.push(`exception: ${error.message}`));
  }
  const visit = async (address: string) => {
    await page.goto(`${served.url}${address}`);
    await page.getByRole('heading', { level: 1 }).waitFor();
  };
  const row = (name: string) => page.getByRole('row').filter({ hasText: name });
  /**
   * Waits until the row with the index `nth` has this name. The index begins at 0 and counts the rows of all tables on
   * the page.
   */
  const headed = (nth: number, name: string) =>
    page
      .locator('tbody th[scope=row]')
      .nth(nth)
      .filter({ hasText: new RegExp(`^${name}$`) })
      .waitFor();
  const parametersOf = (path: string) => served.asked.filter((one) => one.path === path).at(-1)?.parameters;
  const search = () => new URL(page.url()).searchParams;

  it.each(['constructor', 'toString', 'no-such-view'])('shows the allocations for ?view=%s', async (view) => {
    await visit(`/?view=${view}`);
    expect(await page.locator('nav [aria-current=page]').innerText()).toMatch(/allocations/i);
  });

  describe('names that are HTML, or that every object has', () => {
    const image = `<img src="/x" onerror="window.pwned=1">\u202e\u200b\u001b`;
    const hostile: Readonly<Record<string, string>> = {
      'eu-production': image,
      'us-production': '</td><script>window.pwned=1</script>',
      staging: 'constructor',
      checkout: `"'><svg onload=window.pwned=1>`,
      payments: '__proto__',
      'moved to another account': `<a href="javascript:window.pwned=1">${image}</a>`,
    };
    const names = new RegExp(Object.keys(hostile).join('|'), 'g');

    it.each(views)('stay text in the view %s', async (view) => {
      const report = 'console.error("CSP: " + event.violatedDirective)';
      await page.addInitScript(`document.addEventListener('securitypolicyviolation', (event) => ${report})`);
      await page.route(/\/(api|model)\//, async (route) => {
        const response = await route.fetch();
        const text = await response.text();
        const body = text.replace(names, (name) => JSON.stringify(hostile[name]).slice(1, -1));
        await route.fulfill({ response, body });
      });
      await visit(addressOf(view));
      await page.locator('tbody th[scope=row]').first().waitFor();
      const made = await page.evaluate(`({
        pwned: 'pwned' in window,
        elements: document.querySelectorAll('main img, main script, [onerror], [onload], [href^=javascript]').length,
        hidden: /[\\u202e\\u200b\\u001b]/.test(
          [document.body.innerText, ...Array.from(document.querySelectorAll('[title]'), ({ title }) => title)].join(),
        ),
      })`);
      expect(made).toEqual({ pwned: false, elements: 0, hidden: false });
      if (view === 'clusters') {
        const shown = await page.locator('main').innerText();
        for (const name of [visibleText(image), 'constructor', '<a href="javascript:window.pwned=1">'])
          expect(shown).toContain(name);
      }
    });
  });

  describe.each(views)('view %s', (view) => {
    it('shows its rows under its heading', async () => {
      await visit(addressOf(view));
      await page.locator('tbody th[scope=row]').first().waitFor();
      expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe(
        `${view[0]?.toUpperCase()}${view.slice(1)}`,
      );
      expect(await page.locator('nav [aria-current=page]').innerText()).toMatch(new RegExp(view, 'i'));
    });

    it.each(['light', 'dark'] as const)('is accessible, in %s', async (colorScheme) => {
      await open({ colorScheme, bypassCSP: true });
      await visit(addressOf(view));
      await page.locator('tbody th[scope=row]').first().waitFor();
      await page.addScriptTag({ content: axe });
      const violations = await page.evaluate<string[]>(
        `axe.run().then(({ violations }) => violations
           .filter(({ impact }) => impact === 'serious' || impact === 'critical')
           .map(({ id, nodes }) => id + ': ' + nodes.map(({ target }) => target.join(' ')).join(', ')))`,
      );
      expect(violations).toEqual([]);
    });

    it('is no wider than a narrow window', async () => {
      await open({ viewport: { width: 400, height: 800 } });
      await visit(addressOf(view));
      await page.locator('tbody th[scope=row]').first().waitFor();
      expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(400);
    });
  });

  describe('allocations', () => {
    it('are requested in two queries, by cluster and for 7 days', async () => {
      await visit('/');
      await row('us-production').waitFor();
      await page.waitForLoadState('networkidle');
      const queries = served.asked.filter(({ path }) => /^\/model\/allocation(\/summary)?$/.test(path));
      expect(queries.map(({ path }) => path).sort()).toEqual([
        '/model/allocation',
        '/model/allocation/summary',
      ]);
      const asked = Object.fromEntries(parametersOf('/model/allocation') ?? []);
      expect(asked).toMatchObject({ window: '7d', aggregate: 'cluster', accumulate: 'true' });
    });

    it('are requested without lists of volumes, and equally for bars and table', async () => {
      await visit(`/?window=30d&aggregate=pod&idle=share&bars=week&filter=${encodeURIComponent('pod~:"a"')}`);
      await page.locator('tbody th[scope=row]').first().waitFor();
      const { accumulate, ...table } = Object.fromEntries(parametersOf('/model/allocation') ?? []);
      expect(accumulate).toBe('true');
      expect(table).toMatchObject({ includeVolumes: 'false', window: '30d' });
      expect(Object.fromEntries(parametersOf('/model/allocation/summary') ?? [])).toEqual(table);
    });

    it('have each cost with its adjustment, and totals below', async () => {
      await visit('/');
      await row('eu-production').waitFor();
      const cells = await row('eu-production').locator('td').allInnerTexts();
      // 101 is the CPU cost of 100 plus its adjustment of 1. The total of 130 also includes RAM (20), volumes (3),
      // network (2) and load balancers (4).
      expect(cells[0]).toContain('101.00');
      expect(cells.at(-2)).toContain('130.00');
      expect(await page.locator('tfoot').innerText()).toMatch(/\d/);
    });

    it('are sorted by their headings', async () => {
      await visit('/');
      await row('us-production').waitFor();
      await page.getByRole('button', { name: 'Cluster' }).click();
      await page.locator('th[aria-sort=ascending]').waitFor();
      expect(await page.locator('th[aria-sort=ascending]').innerText()).toContain('Cluster');
      const names = await page.locator('tbody th[scope=row]').allInnerTexts();
      expect(names.filter((name) => name !== 'Idle')).toEqual([
        'edge-01',
        'eu-production',
        'research',
        'staging',
        'us-production',
      ]);
    });

    it('lead from a cluster to its namespaces, and back', async () => {
      await visit('/');
      await page.getByRole('link', { name: 'us-production' }).click();
      await page.getByRole('link', { name: 'checkout' }).waitFor();
      expect(search().get('aggregate')).toBe('namespace');
      expect(parametersOf('/model/allocation')?.get('filter')).toContain('cluster:"us-production"');
      await page.goBack();
      await page.getByRole('link', { name: 'us-production' }).waitFor();
      expect(search().get('filter')).toBeNull();
    });

    it('lead into unallocated costs, but not into idle', async () => {
      await visit('/?aggregate=namespace');
      await page.getByRole('link', { name: 'Unallocated' }).waitFor();
      expect(await page.getByRole('link', { name: 'Idle' }).count()).toBe(0);
      await page.getByRole('link', { name: 'Unallocated' }).click();
      await page.waitForURL(/__unallocated__/);
      await expectAsked('/model/allocation', 'filter', 'namespace:"__unallocated__"');
    });

    it('have filters to add and remove', async () => {
      await visit(`/?filter=${encodeURIComponent('cluster:"staging"')}`);
      const remove = page.getByRole('button', { name: /Remove filter cluster:"staging"/ });
      await remove.waitFor();
      await page.getByText('Add filter').click();
      await page.getByLabel('Field').selectOption('namespace');
      await page.getByLabel('Value').fill('search');
      await page.getByRole('button', { name: 'Add', exact: true }).click();
      await page.getByRole('button', { name: /Remove filter namespace:"search"/ }).waitFor();
      await expectAsked('/model/allocation', 'filter', 'namespace:"search"');
      await remove.click();
      await remove.waitFor({ state: 'detached' });
      expect(search().get('filter')).toBe('namespace:"search"');
    });

    it('have idle shown, split, shared or hidden', async () => {
      await visit('/?idle=hide');
      await row('us-production').waitFor();
      expect(parametersOf('/model/allocation')?.get('idle')).toBe('false');
      await page.getByLabel('Idle').selectOption('split');
      await expectAsked('/model/allocation', 'splitIdle', 'true');
      await page.getByLabel('Idle').selectOption('share');
      await expectAsked('/model/allocation', 'shareIdle', 'true');
    });

    it('can be saved as CSV, with the same query', async () => {
      await visit('/?aggregate=namespace');
      await row('checkout').waitFor();
      const link = await page.getByRole('link', { name: 'CSV' }).getAttribute('href');
      const { searchParams, pathname } = new URL(link ?? '', served.url);
      expect(pathname).toBe('/model/allocation');
      expect(Object.fromEntries(searchParams)).toMatchObject({
        ...Object.fromEntries(parametersOf('/model/allocation') ?? []),
        format: 'csv',
      });
    });
  });

  describe('bars and table', () => {
    const about = () => page.locator('main .about').last().innerText();
    /** Reads the numbers in one row of the chart's data table. The last number is the total of the row. */
    const amounts = async (line: Locator) =>
      (await line.locator('td').allInnerTexts()).slice(1).map((text) => Number(text.replace(/[^\d.-]/g, '')));
    const bars = () => page.locator('.numbers tbody tr');
    const tableTotal = async () => (await amounts(page.locator('table').last().locator('tfoot tr'))).at(-2);
    /** Opens the chart's data table, and waits for its rows, which the page renders with a delay. */
    const showNumbers = async () => {
      await page.getByText('Chart data as a table').click();
      await bars().first().waitFor();
    };

    it.each([
      ['', 7],
      ['week', 1],
      ['month', 1],
    ])('have the same total in bars of %j', async (unit, count) => {
      await visit(`/?bars=${unit}`);
      await row('us-production').last().waitFor();
      await showNumbers();
      expect(await bars().count()).toBe(count);
      const foot = await amounts(page.locator('.numbers tfoot tr'));
      expect(foot.at(-1)).toBe(await tableTotal());
      // The footer contains the sum of each column. The last column is the sum of the other columns.
      expect(foot.at(-1)).toBeCloseTo(
        foot.slice(0, -1).reduce((sum, one) => sum + one, 0),
        1,
      );
      expect(await about()).toMatch(/^2026-11-15 to 2026-11-21 \(UTC\)\. Costs in USD\. Each bar covers one/);
    });

    it('have the rate over elapsed hours, of each bar and of the window', async () => {
      await visit('/?rate=day');
      await row('us-production').last().waitFor();
      await showNumbers();
      const days = [];
      for (const bar of await bars().all()) days.push((await amounts(bar)).at(-1) ?? 0);
      const total = (await tableTotal()) ?? 0;
      // 151 hours of the window have elapsed: six whole days and seven hours of the seventh day. `total` is the cost
      // per 24 elapsed hours. All seven days cost the same; `day` is the cost of one.
      const day = (total * 151) / 24 / 7;
      expect(days.map((one) => one / day)).toEqual([...Array<number>(6).fill(1), 24 / 7].map(closely));
      expect(await page.locator('.numbers tfoot').count()).toBe(0);
      expect(await about()).toContain(
        'Costs in USD per day, over elapsed hours. Each bar covers one day, the table the window.',
      );
    });

    it('are of one generation: both are requested again if it changed in between', async () => {
      served.canned.generations = [newest - 1, newest, newest, newest];
      await visit('/');
      await row('us-production').last().waitFor();
      const asked = served.asked.filter(({ path }) => /^\/model\/allocation(\/summary)?$/.test(path));
      expect(asked).toHaveLength(4);
      expect(await page.locator('.notice').count()).toBe(0);
    });

    it('say so if they are of different generations', async () => {
      served.canned.generations = [newest - 1, newest, newest, newest - 1];
      await visit('/');
      await page.getByText('chart and table show different generations').waitFor();
    });

    it('have no bars if these are refused, with the reason', async () => {
      foreseen = /status of 413/;
      const message = 'The answer has more than 200000 rows.';
      served.canned.error = { path: '/model/allocation/summary', status: 413, message };
      await visit('/');
      await page.getByText(`No chart: ${message}`).waitFor();
      await row('us-production').waitFor();
      expect(await page.locator('canvas').count()).toBe(0);
    });
  });

  describe('between views', () => {
    const state = () => Object.fromEntries(search());
    const cluster = 'cluster:"staging"';
    const open = (name: string) => page.getByRole('navigation').getByRole('link', { name }).click();

    it('window and filter stay, and parts unknown to a view are kept', async () => {
      const filter = `${cluster}\nnamespace:"search"`;
      const chosen = { window: '30d', aggregate: 'pod', idle: 'hide', rate: 'day', sort: 'name', filter };
      await visit(`/?${new URLSearchParams(chosen).toString()}`);
      await open('Assets');
      await expectAsked('/model/assets', 'filter', cluster);
      const asked = Object.fromEntries(parametersOf('/model/assets') ?? []);
      expect(asked).toMatchObject({ window: '30d', aggregate: 'type', filter: `(${cluster})` });
      await page.getByText('ignored for assets').waitFor();
      await page.getByRole('button', { name: 'Adjustment' }).click();
      await open('Clusters');
      await row('staging').waitFor();
      await open('Federations');
      await open('Allocations');
      await expectAsked('/model/allocation', 'aggregate', 'pod');
      expect(state()).toEqual({ ...chosen, assetsSort: '-adjustment' });
      await page.getByRole('button', { name: 'Remove filter namespace:"search"' }).waitFor();
    });

    it('a link of the navigation opens the same state in another tab', async () => {
      await visit(`/?window=30d&filter=${encodeURIComponent(cluster)}`);
      const [other] = await Promise.all([
        context.waitForEvent('page'),
        page.getByRole('navigation').getByRole('link', { name: 'Assets' }).click({ button: 'middle' }),
      ]);
      await other.getByRole('heading', { name: 'Assets' }).waitFor();
      expect(Object.fromEntries(new URL(other.url()).searchParams)).toEqual({
        view: 'assets',
        window: '30d',
        filter: cluster,
      });
    });

    it('a grouping that both views support is shared', async () => {
      await visit('/?aggregate=pod&view=assets');
      await page.getByLabel('Group by').selectOption('cluster');
      await open('Allocations');
      await expectAsked('/model/allocation', 'aggregate', 'cluster');
    });

    it('a cluster leads to its allocations in the same window', async () => {
      await visit(`/?view=clusters&window=30d&filter=${encodeURIComponent('cluster:"edge-01"')}`);
      await page.getByRole('link', { name: 'staging' }).click();
      await expectAsked('/model/allocation', 'filter', cluster);
      expect(state()).toEqual({ window: '30d', aggregate: 'namespace', filter: cluster });
    });

    it('the state can be reset', async () => {
      await visit('/?window=30d&view=assets');
      await page.getByRole('link', { name: 'Federated ETL' }).click();
      await page.getByRole('heading', { name: 'Allocations' }).waitFor();
      expect(state()).toEqual({});
    });
  });

  describe('a table of 10,000 rows', () => {
    it('keeps few of them in the document, shows their number, and sorts them', async () => {
      await visit('/?aggregate=pod');
      await page.locator('tbody th[scope=row]').first().waitFor();
      expect(Number(await page.locator('table').getAttribute('aria-rowcount'))).toBeGreaterThan(10_000);
      expect(await page.locator('tbody tr').count()).toBeLessThan(200);
      await page.getByRole('button', { name: 'Pod' }).click();
      await page.locator('th[aria-sort=ascending]').waitFor();
      await headed(0, 'Idle');
      await headed(1, 'pod-00000');
      await page.getByRole('button', { name: 'Pod' }).click();
      await page.locator('th[aria-sort=descending]').waitFor();
      await headed(0, 'pod-09999');
      expect(await page.locator('tbody tr').count()).toBeLessThan(200);
    });

    it('shows its last row when it is scrolled to the end', async () => {
      await visit('/?aggregate=pod&sort=name');
      await page.locator('tbody th[scope=row]').first().waitFor();
      await page.evaluate(`document.querySelector('.table').scrollTo(0, 1e9)`);
      await page.locator('[aria-rowindex="10002"] th', { hasText: 'pod-09999' }).waitFor();
    });
  });

  describe('with the keyboard alone', () => {
    it('skips to the content', async () => {
      await visit('/');
      await page.keyboard.press('Tab');
      expect(await page.evaluate<string>('document.activeElement.textContent.trim()')).toMatch(/^Skip/);
      await page.keyboard.press('Enter');
      expect(await page.evaluate<string>('document.activeElement.id')).toBe('main');
    });

    it('sorts a table, with the focus kept and visible', async () => {
      await visit('/');
      await row('us-production').waitFor();
      // Press Tab instead of calling focus(), because the heading must be reachable with the keyboard.
      for (let presses = 0; presses < 60; presses++) {
        if ((await page.evaluate<string>('document.activeElement.textContent')).trim() === 'CPU') break;
        await page.keyboard.press('Tab');
      }
      await page.keyboard.press('Enter');
      await page.locator('th[aria-sort=descending]', { hasText: 'CPU' }).waitFor();
      expect(await page.evaluate<string>('document.activeElement.textContent')).toContain('CPU');
      expect(await page.evaluate<string>('getComputedStyle(document.activeElement).outlineStyle')).not.toBe(
        'none',
      );
      await page.keyboard.press('Space');
      await page.locator('th[aria-sort=ascending]', { hasText: 'CPU' }).waitFor();
    });
  });

  describe('colours', () => {
    const ground = () => page.evaluate<string>('getComputedStyle(document.body).backgroundColor');

    it('follow the system, and can be chosen', async () => {
      await open({ colorScheme: 'dark' });
      await visit('/');
      const dark = await ground();
      await page.getByLabel('Theme').selectOption('light');
      await page.locator('html[data-theme=light]').waitFor({ state: 'attached' });
      const light = await ground();
      expect(light).not.toBe(dark);
      await page.reload();
      await page.getByRole('heading', { level: 1 }).waitFor();
      expect(await ground()).toBe(light);
    });
  });

  describe('notices', () => {
    it('report that there is no generation yet', async () => {
      foreseen = /status of 503/;
      served.canned.empty = true;
      await visit('/');
      await page.getByText('No federation has been committed and pulled yet.').waitFor();
      expect(await page.getByRole('link', { name: 'Federations' }).count()).toBeGreaterThan(0);
    });

    it("show the server's message, with a retry", async () => {
      foreseen = /status of 400/;
      served.canned.error = { status: 400, message: "Invalid 'filter' parameter at 3." };
      await visit('/?filter=x');
      await page.getByText("Invalid 'filter' parameter at 3.").waitFor();
      delete served.canned.error;
      await page.getByRole('button', { name: 'Try again' }).click();
      await row('us-production').waitFor();
    });

    it('show warnings beside the numbers, those of bars and table once each', async () => {
      const both = 'Clusters without allocations for a part of the window: edge-01';
      served.canned.warnings = {
        '/model/allocation': `${both}; The idle of staging is not known.`,
        '/model/allocation/summary': `${both}.`,
        '/model/assets': 'Clusters without assets.',
      };
      await visit('/');
      await row('us-production').waitFor();
      expect(await page.locator('.notice').allInnerTexts()).toEqual([
        `${both}.`,
        'The idle of staging is not known.',
      ]);
      await visit('/?view=assets');
      await row('Node').waitFor();
      expect(await page.locator('.notice').allInnerTexts()).toEqual(['Clusters without assets.']);
    });

    it('report a generation that cannot be read, and the progress of reading', async () => {
      served.canned.refused = { generation: 13, code: 'ETL_FILE_INVALID', message: 'A file is cut short.' };
      served.canned.ingesting = { done: 30, of: 156, generation: 14 };
      await visit('/');
      await page.getByText(/Generation 13 could not be loaded.*generation 12/).waitFor();
      await page.getByText(/30 of 156/).waitFor();
    });

    it('show in every view that the federation is on hold, by whom, why, and how it ends', async () => {
      served.canned.hold = hold;
      await visit('/');
      for (const view of ['Assets', 'Clusters', 'Federations', 'Generations', 'Allocations']) {
        await page.getByRole('navigation').getByRole('link', { name: view }).click();
        await page.getByRole('heading', { level: 1, name: view }).waitFor();
        expect(await page.locator('.banner').allInnerTexts()).toEqual([
          'On hold. ann@host rolled the federation back to generation 10, 3 h ago: “numbers are wrong”. Newer data of the clusters is not combined until an operator runs federated-etl federate --resume.',
        ]);
      }
    });

    it('say beside the costs what is unusual about the generation', async () => {
      served.canned.notes = ['Files that cannot be used are quarantined: edge-01 (no data in 1 window).'];
      for (const view of ['allocations', 'assets']) {
        await visit(addressOf(view));
        await page.locator('.notice', { hasText: 'edge-01 (no data in 1 window)' }).waitFor();
      }
    });

    it('request the token if reading needs it, too; it is kept for this tab only', async () => {
      foreseen = /status of 401/;
      served.canned.locked = true;
      await visit('/');
      await page.getByRole('button', { name: 'Enter token' }).click();
      await page.getByRole('dialog').getByLabel('Token').fill(token);
      await page.getByRole('dialog').getByRole('button', { name: 'Use token' }).click();
      await row('us-production').waitFor();
      expect(served.asked.at(-1)?.authorization).toBe(`Bearer ${token}`);
      expect(await page.evaluate<string>('JSON.stringify(localStorage) + document.cookie')).not.toContain(
        token,
      );
    });
  });

  describe('actions', () => {
    const giveToken = async () => {
      await page.getByRole('button', { name: 'Operator token' }).click();
      await page.getByRole('dialog').getByLabel('Token').fill(token);
      await page.getByRole('dialog').getByRole('button', { name: 'Use token' }).click();
      await page.getByRole('dialog').waitFor({ state: 'detached' });
    };
    const acted = () => served.asked.filter(({ method }) => method === 'POST');

    it('show which cluster has gone silent', async () => {
      await visit('/?view=clusters');
      const badge = row('edge-01').getByText('gone', { exact: true });
      await badge.waitFor();
      expect(await badge.getAttribute('title')).toBe('Usually pushes every 60 min.');
      for (const cluster of ['staging', 'research'])
        expect(
          await row(cluster)
            .getByText(/^(late|gone)$/)
            .count(),
        ).toBe(0);
    });

    it('show the schedule, what there is to do, and the conditions that do not hold', async () => {
      const region = page.getByRole('region', { name: 'State of the federation' });
      served.canned.schedule = { everyMs: 7_200_000, nextRun: new Date(now + 1_200_000).toISOString() };
      await visit('/?view=clusters');
      await row('edge-01').waitFor();
      expect(await region.innerText()).toBe('Schedule: next run in 20 min, every 2 h');

      served.canned.schedule = { everyMs: 7_200_000, paused: { note: 'Ann: <b>until</b> Monday' } };
      served.canned.toDo = [
        'The schedule is paused: Ann: <b>until</b> Monday. To end the pause: `temporal schedule toggle --unpause`.',
      ];
      served.canned.conditions = Array.from({ length: 7 }, (_, at) => ({
        cluster: `edge-0${at}`,
        role: 'federatedCluster',
        name: 'store',
        reason: '<img src=x> is not allowed to write.',
        since: new Date(now - 3 * 3_600_000).toISOString(),
      }));
      await visit('/?view=clusters');
      await row('edge-01').waitFor();
      expect((await region.innerText()).split('\n').filter((line) => line !== '')).toEqual([
        'Schedule: paused, every 2 h',
        'To do',
        'The schedule is paused: Ann: <b>until</b> Monday. To end the pause: temporal schedule toggle --unpause.',
        ...[0, 1, 2, 3, 4].map(
          (at) => `store edge-0${at}, Federated Cluster, for 3 h: <img src=x> is not allowed to write.`,
        ),
        '2 more',
      ]);
      await region.getByText('2 more').click();
      await region.getByText('edge-06, Federated Cluster').waitFor();
      expect(await region.locator('img, b').count()).toBe(0);

      served.canned.schedule = 'absent';
      await visit('/?view=clusters');
      await region.getByText('Schedule: missing').waitFor();
    });

    it('exclude a cluster with a reason, once it is confirmed', async () => {
      await visit('/?view=clusters');
      await giveToken();
      await row('staging').getByRole('button', { name: 'Exclude' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
      expect(acted()).toEqual([]);
      await row('staging').getByRole('button', { name: 'Exclude' }).click();
      await page
        .getByRole('dialog')
        .getByLabel(/Reason/)
        .fill('is rebuilt');
      await page.getByRole('dialog').getByRole('button', { name: 'Exclude' }).click();
      await page.getByText('Done: /api/clusters/staging/exclude').waitFor();
      expect(acted()).toMatchObject([{ body: '{"reason":"is rebuilt"}', authorization: `Bearer ${token}` }]);
      expect(await page.locator('[aria-live]').innerText()).toContain('Done:');
    });

    it('start a federation, and replay one that failed', async () => {
      await visit('/?view=federations');
      // Names of runs have a prefix if several federations share a Temporal namespace. The page hides this prefix.
      expect(await page.locator('tbody th .name').allInnerTexts()).toEqual(
        [7, 6, 5, 4].map((hour) => `2026-11-21T0${hour}:00:00Z`),
      );
      await giveToken();
      await page.getByRole('button', { name: 'Federate now' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Start' }).click();
      await page.getByText('Done: /api/federations').waitFor();
      expect(await page.getByRole('button', { name: 'Replay' }).count()).toBe(1);
      await page.getByRole('button', { name: 'Replay' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Replay' }).click();
      await page.getByText(/Done: .*replay/).waitFor();
      expect(acted().map(({ path }) => path)).toEqual([
        '/api/federations',
        `/api/federations/${encodeURIComponent('acme-federation-2026-11-21T04:00:00Z')}/replay`,
      ]);
    });

    it('that are refused show the reason, and request the token', async () => {
      foreseen = /status of 401/;
      await visit('/?view=clusters');
      await row('research').getByRole('button', { name: 'Include' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Include' }).click();
      await page.getByText('The operator token is missing.').waitFor();
      await page.getByRole('dialog').getByLabel('Token').waitFor();
    });
  });

  describe('generations', () => {
    it('show a hold and what persons have decided', async () => {
      served.canned.hold = hold;
      await visit('/?view=generations');
      await row('on hold').getByText('roll back to generation 10').waitFor();
      await row('on hold')
        .getByText(/by ann@host at .*: numbers are wrong, in place of generation 11/)
        .waitFor();
      await row('remove old-1')
        .getByText(/by kim@host at .*: sold/)
        .waitFor();
    });

    it('are compared as chosen: totals, clusters, and what cannot be read', async () => {
      await visit('/?view=generations&from=10&to=12');
      const totals = page.getByRole('table', { name: 'Costs in all compared windows' });
      await totals.getByRole('row', { name: /allocations 1d.*staging.*\+?\$10\.75/ }).waitFor();
      const asked = Object.fromEntries(parametersOf('/api/generations/diff') ?? []);
      expect(asked).toEqual({ from: '10', to: '12' });
      const unread = row('not compared');
      expect(await unread.innerText()).toContain('STORAGE_NOT_FOUND');
      expect(await unread.locator('td.numeric').allInnerTexts()).toEqual(['–', '–', '–']);
      await page.getByText('1 window could not be read, so the totals lack it.').waitFor();
    });
  });

  async function expectAsked(path: string, name: string, value: string): Promise<void> {
    await until(`a request with ${name}=${value}`, () => parametersOf(path)?.get(name)?.includes(value));
  }
});
