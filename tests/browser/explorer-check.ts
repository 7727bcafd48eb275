import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Browser } from 'playwright-core';
import { createApiKey } from '../../src/config/api-keys.js';
import { checkBlanks, checkChangedWhy, checkHeading, checkSearch } from './explorer-asking-steps.js';
import {
  checkBusy,
  checkJourney,
  checkLooks,
  checkOutage,
  checkKeys,
  checkSwap,
  takeScreenshots,
} from './explorer-steps.js';
import { type MadeRegistry, makeRegistry, startExplorerServer } from './explorer-server.js';
import { BROWSER_MISSING, openBrowser } from './open-browser.js';

/**
 * Opens /explorer in a headless Chromium and does there what people do: follows a request, asks why and why not, changes it, reads the charts,
 * with a key and without, while the server is gone; expects no error in the console, no request to anywhere else, and nothing that axe
 * finds. Exits with 1 when something is wrong.
 *
 *   explorer-check [--registry models] [--user u42] [--screenshots docs/images]
 *
 * Without a registry it trains a small bundle. CHROMIUM names the browser; /usr/bin/chromium when it is not set. Where there is none it says
 * so, and nothing is wrong.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      registry: { type: 'string' },
      user: { type: 'string', default: 'u5' },
      screenshots: { type: 'string' },
    },
  });
  if (BROWSER_MISSING !== false) {
    console.log(`/explorer is not checked: ${BROWSER_MISSING}`);
    return;
  }
  const made = values.registry === undefined ? await makeRegistry() : undefined;
  const browser = await openBrowser();
  try {
    const checked = { browser, registry: values.registry ?? made!.registry, user: values.user, made };
    await checkWithoutKeys(checked, values.screenshots);
    await checkWithKeys(checked);
    console.log('/explorer works');
  } finally {
    await browser.close();
    await made?.remove();
  }
}

interface Checked {
  readonly browser: Browser;
  readonly registry: string;
  readonly user: string;
  /** Absent where the registry is somebody’s. */
  readonly made: MadeRegistry | undefined;
}

async function checkWithoutKeys(
  { browser, registry, user, made }: Checked,
  screenshots?: string,
): Promise<void> {
  const server = await startExplorerServer(registry);
  try {
    const axe = readFileSync(join('node_modules', 'axe-core', 'axe.min.js'), 'utf8');
    const asked = { browser, server, user };
    const views = await checkJourney(asked);
    await checkHeading(asked);
    await checkChangedWhy(asked, views['what-if']);
    await checkSearch(asked);
    await checkBlanks(asked);
    await checkLooks(asked, views, axe);
    if (screenshots !== undefined) {
      mkdirSync(screenshots, { recursive: true });
      await takeScreenshots(asked, views, screenshots);
    }
    await checkBusy(asked);
    await checkOutage(asked);
    if (made !== undefined) await checkSwap(asked, () => made.publishAnother());
  } finally {
    await server.stop();
  }
}

async function checkWithKeys({ browser, registry, user }: Checked): Promise<void> {
  const admin = createApiKey('ops', ['admin']);
  const metrics = createApiKey('scraper', ['metrics']);
  const server = await startExplorerServer(registry, {
    SHORTLIST_AUTH: 'required',
    SHORTLIST_API_KEYS: `${admin.entry},${metrics.entry}`,
  });
  try {
    await checkKeys({ browser, server, user }, { right: admin.key, weak: metrics.key });
  } finally {
    await server.stop();
  }
}

await main();
