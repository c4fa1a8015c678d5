import { type Browser, type BrowserContext, type BrowserContextOptions, chromium } from 'playwright-core';

/**
 * How long in milliseconds to wait for the page at most. It only ends a wait that hangs: on a busy machine, a table of
 * 10,000 rows may take longer than Playwright's own limit of 30 seconds.
 */
const patienceMs = 180_000;

/** Starts Chromium in headless mode. */
export async function startChromium(executablePath: string, args: readonly string[] = []): Promise<Browser> {
  return chromium.launch({
    executablePath,
    headless: true,
    args: ['--no-sandbox', ...args],
    timeout: patienceMs,
  });
}

/** Opens a window whose waits last up to `patienceMs`. */
export async function newWindow(browser: Browser, options?: BrowserContextOptions): Promise<BrowserContext> {
  const context = await browser.newContext({ viewport: { width: 1_280, height: 900 }, ...options });
  context.setDefaultTimeout(patienceMs);
  return context;
}
