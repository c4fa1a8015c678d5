import { type Browser, chromium } from 'playwright-core';

/** Starts Chromium in headless mode. */
export async function startChromium(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, headless: true, args: ['--no-sandbox'], timeout: 20_000 });
}
