import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { HOSTILE_TITLE, type ExplorerServer } from './explorer-server.js';

/** What is checked: the page of a server, by the list of a user. */
export interface Asked {
  readonly browser: Browser;
  readonly server: ExplorerServer;
  readonly user: string;
}

/** The address of each tab with something in it. */
export type Views = Readonly<Record<'request' | 'why' | 'what-if' | 'server', string>>;

const FIRST_PAINT_MS = 3000;
const WIDTHS = [360, 1280, 1600];
/** How much of each tab a screenshot has: small files, and nothing cut in two. */
const HEIGHTS: Readonly<Record<keyof Views, number>> = {
  request: 840,
  why: 1120,
  'what-if': 680,
  server: 960,
};

// As text: it runs in the page, whose types these tests do not have.
const SIZES = '[innerWidth, document.documentElement.scrollWidth]';

/** A page of the explorer, and everything that is wrong with it so far. */
export async function openPage({ browser, server }: Asked, options: Parameters<Browser['newPage']>[0] = {}) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...options });
  const problems: string[] = [];
  const addresses: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning')
      problems.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => problems.push(`page: ${error.message}`));
  page.on('request', (request) => {
    addresses.push(request.url());
    const { protocol, origin } = new URL(request.url());
    if (protocol !== 'data:' && origin !== server.adminUrl) problems.push(`elsewhere: ${request.url()}`);
  });
  return {
    page,
    addresses,
    end: async () => {
      assert.deepEqual(problems, [], 'the page has problems');
      await page.close();
    },
  };
}

/** Does what people do, tab by tab, and gives the addresses that it came to. */
export async function checkJourney(asked: Asked): Promise<Views> {
  const { server, user } = asked;
  const { page, addresses, end } = await openPage(asked);
  await page.goto(`${server.adminUrl}/explorer`);
  await page.getByRole('heading', { name: 'Why this, and why not that?' }).waitFor();
  const ids = await readSlate(page, user);
  assert.deepEqual(ids, await recommend(asked), 'the list is that of GET /recommendations');
  const request = page.url();
  const why = await explainFirst(page);
  await explainWatched(page, request);
  const whatIf = await switchSourceOff(page, request);
  await checkReload(asked, whatIf);
  await checkServerTab(page);
  const sent = addresses.filter((address) => new RegExp(`\\b${user}\\b`).test(address.split('#')[0]!));
  assert.deepEqual(sent, [], 'no address that is sent has the user in it');
  const server_ = page.url();
  await end();
  console.log('the tabs show what the server says');
  return { request, why, 'what-if': whatIf, server: server_ };
}

/** By the keyboard alone. */
async function readSlate(page: Page, user: string): Promise<string[]> {
  await page.getByLabel('User id').focus();
  await page.keyboard.type(user);
  await page.keyboard.press('Enter');
  await page.locator('.slate li').first().waitFor();
  for (const stage of ['History', 'Rules', 'Sources', 'Candidates', 'The list']) {
    await page.locator('.funnel').getByRole('button', { name: stage }).focus();
    await page.keyboard.press('Enter');
    await page
      .locator('.card h2', { hasText: stage === 'Rules' ? 'Rules that take' : stage })
      .first()
      .waitFor();
  }
  return page
    .locator('.slate .item-button')
    .evaluateAll((buttons) =>
      buttons.map(
        (button) => (button.querySelector('.id') ?? button.querySelector('.title'))!.textContent ?? '',
      ),
    );
}

async function recommend({ server, user }: Asked): Promise<string[]> {
  const answer = await fetch(`${server.url}/recommendations/${user}`);
  const { items } = (await answer.json()) as { items: { itemId: string }[] };
  assert.ok(items.length > 0);
  return items.map(({ itemId }) => itemId);
}

async function explainFirst(page: Page): Promise<string> {
  await page.locator('.slate .item-button').first().click();
  await page.locator('[data-verdict="shown"]').waitFor();
  const parts = await page.locator('.waterfall [data-part]').evaluateAll((cells) =>
    cells.map((cell) => ({
      part: cell.getAttribute('data-part'),
      value: Number(cell.getAttribute('data-value')),
    })),
  );
  const sum = (...names: string[]): number =>
    parts.filter(({ part }) => names.includes(part!)).reduce((total, { value }) => total + value, 0);
  assert.ok(parts.length > 3, 'there are bars');
  assert.ok(Math.abs(sum('baseline', 'group') - sum('score')) < 1e-6, 'the bars add up to the score');
  assert.ok((await page.locator('.features tbody tr').count()) > 10, 'there are values of features');
  return page.url();
}

/** Asks by search why an item of the history is absent. */
async function explainWatched(page: Page, request: string): Promise<void> {
  await page.goto(`${request}&step=history`);
  const watched = page.locator('tbody .item-button').first();
  await watched.waitFor();
  const title = (await watched.locator('.title').textContent())!;
  const id =
    (await watched.locator('.id').count()) > 0 ? (await watched.locator('.id').textContent())! : title;
  await page.locator('.funnel').getByRole('button', { name: 'The list' }).click();
  await page.getByRole('combobox', { name: 'Why is this item not in the list?' }).fill(title);
  const found = page.locator('.search').getByRole('option');
  await found.filter({ hasText: id }).first().waitFor();
  const options = await found.allTextContents();
  for (let place = 0; place <= options.findIndex((text) => text.includes(id)); place++)
    await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.locator('[data-verdict="removed_by_rule"]').waitFor();
  assert.match((await page.locator('.detail').textContent())!, /exclude-seen/);
}

async function switchSourceOff(page: Page, request: string): Promise<string> {
  await page.goto(request.replace('#/request', '#/what-if'));
  await page.getByText('a source were off, or gave more?').click();
  const names = await page.locator('.check-row label.check').allTextContents();
  for (const name of names.slice(0, 4)) await page.getByRole('checkbox', { name, exact: true }).uncheck();
  await page.getByRole('button', { name: 'Compare' }).click();
  await page.getByText(/stays?[,.]/).waitFor();
  const sides = await page
    .locator('.comparison .side')
    .evaluateAll((lists) => lists.map((list) => list.textContent));
  assert.equal(sides.length, 2);
  assert.notEqual(sides[0], sides[1], 'the lists differ');
  assert.equal(
    await page.locator('.lines path').count(),
    await page.locator('.side').first().locator('li:not(.gone)').count(),
    'a line for each item that stays',
  );
  return page.url();
}

/** A copied address shows the same in another window. */
async function checkReload(asked: Asked, address: string): Promise<void> {
  const texts: string[] = [];
  const { page, end } = await openPage(asked);
  for (const _ of [1, 2]) {
    await (texts.length === 0 ? page.goto(address) : page.reload());
    await page.getByText(/stays?[,.]/).waitFor();
    texts.push((await page.locator('.results').textContent())!);
    assert.equal(page.url(), address);
  }
  assert.equal(texts[0], texts[1]);
  await end();
}

async function checkServerTab(page: Page): Promise<void> {
  await page.getByRole('tab', { name: 'What if' }).focus();
  await page.keyboard.press('ArrowRight');
  await page.getByRole('tab', { name: 'Server', selected: true }).waitFor();
  await page.locator('.chart canvas').first().waitFor();
  await page.getByText('Answer time').waitFor();
  const version = await page.locator('.bundle-line code').textContent();
  await page.locator('dd', { hasText: version! }).waitFor();
}

/** How it looks in both themes and all widths: nothing that axe finds, nothing to scroll sideways for, and titles as text. */
export async function checkLooks(asked: Asked, views: Views, axe: string): Promise<void> {
  const violations: string[] = [];
  for (const colorScheme of ['light', 'dark'] as const) {
    const { page, end } = await openPage(asked, { colorScheme });
    for (const [name, address] of listLooks(asked, views)) {
      await show(page, address);
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: 900 });
        const [inner, whole] = await page.evaluate<[number, number]>(SIZES);
        assert.ok(whole <= inner, `${name} at ${width} px scrolls sideways: ${whole}`);
        violations.push(...(await listViolations(page, axe, `${name}, ${colorScheme}, ${width} px`)));
      }
      await page.setViewportSize({ width: 1280, height: 900 });
    }
    await end();
  }
  assert.deepEqual(violations, [], 'axe finds nothing');
  await checkStrangers(asked);
  await checkHostileTitle(asked, views);
  await checkFirstPaint(asked);
  console.log('it looks right in both themes, from 360 to 1,600 px');
}

function listLooks({ server, user }: Asked, views: Views): [string, string][] {
  const page = `${server.adminUrl}/explorer`;
  const steps = ['history', 'rules', 'sources', 'candidates'].map((step): [string, string] => [
    step,
    `${views.request}&step=${step}`,
  ]);
  return [
    ['start', page],
    ...Object.entries(views),
    ...steps,
    ['a long id', `${page}#/request?for=user&user=${'x'.repeat(256)}`],
    ['an id from right to left', `${page}#/request?for=user&user=${encodeURIComponent('שלום'.repeat(20))}`],
    ['an item that is not there', `${page}#/why?for=user&user=${user}&about=${'y'.repeat(256)}`],
  ];
}

/** Goes to a view and waits until it has what it shows. */
async function show(page: Page, address: string): Promise<void> {
  await page.goto('about:blank');
  await page.goto(address);
  await page.locator('.card').first().waitFor();
  await page
    .locator('#panel')
    .filter({ hasNotText: /Asking|first two looks/ })
    .waitFor();
  if (address.includes('#/server')) await page.locator('canvas').first().waitFor();
}

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string }[];
  }[];
}

async function listViolations(page: Page, axe: string, what: string): Promise<string[]> {
  await page.evaluate(axe);
  const { violations } = await page.evaluate<AxeResult>('axe.run(document)');
  return violations.map(({ id, nodes }) => `${what}: ${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

/** Users and items that nobody knows are answered in words. */
async function checkStrangers(asked: Asked): Promise<void> {
  const { page, end } = await openPage(asked);
  const start = `${asked.server.adminUrl}/explorer`;
  await show(page, `${start}#/request?for=user&user=nobody-knows`);
  await page.getByText('The bundle knows no history here').waitFor();
  await show(page, `${start}#/why?for=user&user=${asked.user}&about=no-such-item`);
  await page.locator('[data-verdict="unknown_item"]').waitFor();
  await end();
  // The browser logs the refusal, which is none of the page’s.
  const refused = await asked.browser.newPage();
  await refused.goto(`${start}#/request?for=nobody&filter=nothing:x`);
  await refused.getByRole('alert').filter({ hasText: 'nothing' }).waitFor();
  await refused.close();
}

async function checkHostileTitle(asked: Asked, views: Views): Promise<void> {
  const { page, end } = await openPage(asked);
  await show(page, views.request);
  await page.getByRole('combobox', { name: 'Why is this item' }).fill('<img');
  await page
    .getByRole('status')
    .filter({ hasText: /^\d+ found$/ })
    .waitFor({ state: 'attached' });
  const isThere = await page.getByRole('option', { name: HOSTILE_TITLE }).count();
  if (isThere === 0) {
    console.log('this bundle has no hostile title; a check without --registry makes one');
    return page.close();
  }
  await page.getByRole('option', { name: HOSTILE_TITLE }).first().click();
  await page.locator('.item-title', { hasText: HOSTILE_TITLE }).waitFor();
  assert.equal(await page.locator('#page img').count(), 0);
  assert.equal(await page.evaluate('window.wasHostile'), undefined);
  await end();
}

/** The best of a few, since other things run on this machine too. */
async function checkFirstPaint(asked: Asked): Promise<void> {
  const times: number[] = [];
  for (let turn = 0; turn < 5; turn++) {
    const { page, end } = await openPage(asked);
    await page.goto(`${asked.server.adminUrl}/explorer`);
    await page.locator('.card').first().waitFor();
    await page.waitForFunction(() => performance.getEntriesByName('first-contentful-paint').length > 0);
    times.push(
      await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]!.startTime),
    );
    await end();
  }
  console.log(`first paint after ${times.map(Math.round).join(', ')} ms`);
  assert.ok(Math.min(...times) <= FIRST_PAINT_MS, `first paint takes ${times.join(', ')} ms`);
}

/** A server that is stopped, and starts again. What the browser logs of its connections does not count here. */
export async function checkOutage({ browser, server, user }: Asked): Promise<void> {
  const page = await browser.newPage();
  await page.goto(`${server.adminUrl}/explorer#/request?for=user&user=${user}`);
  await page.locator('.slate li').first().waitFor();
  await server.stop();
  await page.getByText('The server does not answer').waitFor();
  await page.getByLabel('Nobody').check();
  await page.getByRole('button', { name: 'Show this list' }).click();
  await server.start();
  await page.locator('.request-line').getByText('for nobody in particular').waitFor();
  await page.getByText('Still showing').waitFor({ state: 'detached' });
  await page.getByText('The server does not answer').waitFor({ state: 'detached' });
  await page.close();
  console.log('it recovers from a server that was gone');
}

/** A server whose one inspection at a time is taken by others. */
export async function checkBusy({ browser, server, user }: Asked): Promise<void> {
  const over = new AbortController();
  const body = JSON.stringify({
    userId: user,
    about: Array.from({ length: 20 }, (_, item) => `i0${10 + item}`),
  });
  const headers = { 'content-type': 'application/json' };
  const ask = async (): Promise<void> => {
    while (!over.signal.aborted)
      await (await fetch(`${server.adminUrl}/inspect`, { method: 'POST', headers, body })).text();
  };
  const others = Array.from({ length: 8 }, ask);
  const page = await browser.newPage();
  await page.goto(`${server.adminUrl}/explorer#/request?for=user&user=${user}`);
  const busy = page.getByText('The server is busy');
  // By luck it is its turn at once.
  for (let turn = 0; turn < 20 && !(await busy.isVisible()); turn++) {
    await page.getByRole('button', { name: 'Show this list' }).click();
    await page.waitForTimeout(200);
  }
  assert.ok(await busy.isVisible(), 'the page says that the server is busy');
  over.abort();
  await Promise.all(others);
  await page.locator('.slate li').first().waitFor();
  await busy.waitFor({ state: 'detached' });
  await page.goto(`${server.adminUrl}/explorer#/request?for=user&user=${user}&release=canary`);
  await page.getByRole('alert').filter({ hasText: 'canary' }).waitFor();
  await page.close();
  console.log('it waits for a server that is busy');
}

/** A bundle that is swapped between two calls. */
export async function checkSwap(
  { browser, server, user }: Asked,
  publish: () => Promise<void>,
): Promise<void> {
  const page = await browser.newPage();
  await page.goto(`${server.adminUrl}/explorer#/request?for=user&user=${user}`);
  await page.locator('.slate li').first().waitFor();
  const version = page.locator('.bundle-line code');
  const before = await version.textContent();
  await publish();
  await fetch(`${server.adminUrl}/bundle/reload`, { method: 'POST' });
  await page.getByRole('button', { name: 'Show this list' }).click();
  await page.getByText('The bundle changed between two calls').waitFor();
  assert.notEqual(await version.textContent(), before);
  await page.getByRole('button', { name: 'Ask again' }).click();
  await page.getByText('The bundle changed between two calls').waitFor({ state: 'detached' });
  await page.close();
  console.log('it says that the bundle changed');
}

/** A server that asks for a key: none, a wrong one, one without the scope, the right one. */
export async function checkKeys(
  { browser, server, user }: Asked,
  keys: { readonly right: string; readonly weak: string },
): Promise<void> {
  const page = await browser.newPage();
  const answers: number[] = [];
  page.on(
    'response',
    (response) => void (response.url().includes('/inspect') && answers.push(response.status())),
  );
  await page.goto(`${server.adminUrl}/explorer#/request?for=user&user=${user}`);
  await page.getByText('This server asks for an API key').waitFor();
  for (const [key, words] of [
    ['sl_wrong', 'The server does not accept this key'],
    [keys.weak, 'it lacks the scope admin'],
  ] as const) {
    await page.getByLabel('API key').last().fill(key);
    await page.getByRole('button', { name: 'Use this key' }).click();
    await page.getByRole('alert').filter({ hasText: words }).waitFor();
  }
  await page.getByLabel('API key').last().fill(keys.right);
  await page.keyboard.press('Enter');
  await page.locator('.slate li').first().waitFor();
  await page.getByRole('button', { name: 'Use this key' }).waitFor({ state: 'detached' });
  assert.equal(
    await page.evaluate(() => localStorage.length + sessionStorage.length),
    0,
    'the key is kept nowhere',
  );
  assert.equal(answers.at(-1), 200);
  await page.close();
  console.log('it asks for a key, says what is wrong with one, and keeps none');
}

/** Screenshots of the four tabs in both themes. */
export async function takeScreenshots(asked: Asked, views: Views, folder: string): Promise<void> {
  const ending = setInterval(() => void recommend(asked).catch(() => undefined), 40);
  try {
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page, end } = await openPage(asked, { colorScheme });
      for (const [name, address] of Object.entries(views)) {
        await show(page, address);
        await page.setViewportSize({ width: 1280, height: HEIGHTS[name as keyof Views] });
        if (name === 'server') await page.waitForTimeout(30_000);
        await page.screenshot({ path: join(folder, `explorer-${name}-${colorScheme}.png`) });
      }
      await end();
    }
  } finally {
    clearInterval(ending);
  }
}
