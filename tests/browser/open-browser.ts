import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const PROGRAM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** Why tests in a browser are skipped, or false where there is one. */
export const BROWSER_MISSING: string | false = existsSync(PROGRAM)
  ? false
  : `${PROGRAM} is missing (Debian: apt-get install chromium; elsewhere CHROMIUM names the browser)`;

/** A headless Chromium: the one that CHROMIUM names, /usr/bin/chromium when it is not set. It asks nobody for anything by itself. */
export async function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: PROGRAM,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
