import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Page, Response } from 'playwright-core';
import { startServer } from '../../src/http/start-server.js';
import { createLogger } from '../../src/observability/create-logger.js';
import { createMetrics } from '../../src/observability/metrics/metrics.js';
import { buildSettings } from '../http/build.js';
import { createServerParts } from '../support/server-parts.js';
import { MemoryService } from '../http/memory-service.js';
import { BROWSER_MISSING, openBrowser } from './open-browser.js';

/**
 * Opens /docs in a headless Chromium, tries out every route as the page offers it and expects 200, with items of the person where
 * there are some, without an error on the page, in the console or in a request, and without a request to anywhere else. Exits
 * with 1 when something is wrong.
 *
 *   docs-check [--url http://localhost:3000] [--screenshot docs.png]
 *
 * Without a URL it serves a small list from memory. CHROMIUM names the browser; /usr/bin/chromium when it is not set. Where there is none it
 * says so and checks nothing.
 */
async function main(): Promise<void> {
  if (BROWSER_MISSING !== false) return console.log(`/docs is not checked: ${BROWSER_MISSING}`);
  const { values } = parseArgs({ options: { url: { type: 'string' }, screenshot: { type: 'string' } } });
  const screenshot = values.screenshot ?? join(tmpdir(), 'shortlist-docs.png');
  const server = values.url === undefined ? await serveFromMemory() : undefined;
  try {
    await checkDocs(values.url ?? server!.url, screenshot);
    console.log(`/docs works; screenshot at ${screenshot}`);
  } finally {
    await server?.stop();
  }
}

function serveFromMemory() {
  const parts = {
    settings: buildSettings(),
    logger: createLogger({ level: 'warn', writing: 'sync', destination: 2 }),
    metrics: createMetrics({ processMetrics: false }),
  };
  return startServer(createServerParts(new MemoryService(), parts));
}

async function checkDocs(url: string, screenshot: string): Promise<void> {
  const browser = await openBrowser();
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    const problems = collectProblems(page, url);
    await page.goto(`${url}/docs`);
    try {
      await page.locator('.opblock').first().waitFor();
      const count = await page.locator('.opblock').count();
      for (let place = 0; place < count; place++) await tryOut(page, place);
      console.log(`${count} routes answered 200`);
    } finally {
      await page.screenshot({ path: screenshot, fullPage: true });
    }
    if (problems.length > 0) throw new Error(`The page has problems:\n${problems.join('\n')}`);
  } finally {
    await browser.close();
  }
}

function collectProblems(page: Page, url: string): string[] {
  const problems: string[] = [];
  const { origin } = new URL(url);
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => problems.push(`page: ${error.message}`));
  page.on('requestfailed', (request) => problems.push(`failed: ${request.url()}`));
  page.on('request', (request) => {
    const target = new URL(request.url());
    if (target.protocol !== 'data:' && target.origin !== origin) problems.push(`elsewhere: ${request.url()}`);
  });
  return problems;
}

/** Presses "Try it out" and "Execute" of one route, and changes nothing. */
async function tryOut(page: Page, place: number): Promise<void> {
  const operation = page.locator('.opblock').nth(place);
  await operation.locator('.opblock-summary').click();
  await operation.locator('.try-out__btn').click();
  const answered = page.waitForResponse((response) => !response.url().includes('/docs'));
  await operation.locator('.execute').click();
  await expectAnswer(await answered);
  const live = operation.locator('.live-responses-table');
  await live.locator('.response-col_status', { hasText: '200' }).waitFor();
}

async function expectAnswer(response: Response): Promise<void> {
  const body = (await response.json()) as { items?: unknown[]; strategy?: string };
  const isGreeted = body.strategy === undefined || body.strategy === 'personalised';
  if (response.status() !== 200 || body.items?.length === 0 || !isGreeted) {
    throw new Error(`${response.url()} answered ${response.status()}: ${JSON.stringify(body)}`);
  }
}

await main();
