import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { openPage, type Asked } from './explorer-steps.js';

const OTHER_USER = 'u8';

/** While another list is asked for, the heading is of the list that stands. */
export async function checkHeading(asked: Asked): Promise<void> {
  const { server, user } = asked;
  const { page, end } = await openPage(asked);
  await page.goto(`${server.adminUrl}/explorer#/request?for=user&user=${user}`);
  await page.locator('.slate li').first().waitFor();
  let letGo = (): void => undefined;
  const turn = new Promise<void>((resolve) => (letGo = resolve));
  await page.route('**/inspect', async (route) => {
    await turn;
    await route.continue();
  });
  await page.getByLabel('User id').fill(OTHER_USER);
  await page.keyboard.press('Enter');
  await page.getByText(`Still showing ${user}. Asking for ${OTHER_USER}…`).waitFor();
  const subject = page.locator('.request-line .subject');
  assert.equal(await subject.textContent(), user, 'the heading is of the list that stands');
  letGo();
  await subject.filter({ hasText: OTHER_USER }).waitFor();
  await page.getByText('Still showing').waitFor({ state: 'detached' });
  await end();
  console.log('the heading is of the list that is shown');
}

/** An item of the changed list is explained under the changes, until they are dropped. */
export async function checkChangedWhy(asked: Asked, whatIf: string): Promise<void> {
  const { page, end } = await openPage(asked);
  const bodies: { about?: string[]; without?: { sources: string[] } }[] = [];
  page.on('request', (request) => {
    if (request.url().endsWith('/inspect')) bodies.push(request.postDataJSON() as (typeof bodies)[number]);
  });
  await page.goto(whatIf);
  await page.getByRole('list', { name: 'The list with the changes' }).getByRole('button').first().click();
  await page.locator('[data-verdict="shown"]').waitFor();
  await page.getByText('With your change: without').waitFor();
  const last = bodies.at(-1)!;
  assert.equal(last.about?.length, 1);
  assert.ok(last.without!.sources.length > 0, 'the changes are sent');
  await page.reload();
  await page.getByText('With your change: without').waitFor();
  await page.locator('[data-verdict]').waitFor();
  await page.getByRole('button', { name: 'Drop the changes' }).click();
  await page.getByText('With your change:', { exact: true }).waitFor({ state: 'detached' });
  await page.locator('[data-verdict]').waitFor();
  assert.equal(bodies.at(-1)!.without, undefined, 'nothing is changed any more');
  await page.goto(whatIf);
  await page.getByRole('list', { name: 'The list as it is' }).getByRole('button').first().click();
  await page.locator('[data-verdict="shown"]').waitFor();
  assert.equal(await page.getByText('With your change:', { exact: true }).count(), 0);
  await end();
  console.log('an item of the changed list is explained under the changes');
}

/** An id is sent as it is typed, and a blank at its end is pointed out. */
export async function checkBlanks(asked: Asked): Promise<void> {
  const { server, user } = asked;
  const { page, end } = await openPage(asked);
  await page.goto(`${server.adminUrl}/explorer`);
  await page.getByLabel('User id').fill(`${user} `);
  await page.getByText('The id begins or ends with a blank').waitFor();
  const sent = page.waitForRequest((request) => request.url().endsWith('/inspect'));
  await page.keyboard.press('Enter');
  assert.equal(((await sent).postDataJSON() as { userId: string }).userId, `${user} `);
  await page.locator('.request-line .subject', { hasText: `“${user} ”` }).waitFor();
  await end();
  console.log('an id is sent as it is typed');
}

/** Enter right after typing waits for what is found. */
export async function checkSearch(asked: Asked): Promise<void> {
  const { server, user } = asked;
  const { page, end } = await openPage(asked);
  await page.goto(`${server.adminUrl}/explorer#/request?for=user&user=${user}`);
  const id = await idOfFirst(page);
  await page.goto(`${server.adminUrl}/explorer#/why?for=user&user=${user}`);
  const box = page.getByRole('combobox', { name: 'Any item of the catalogue' });
  await box.fill('no such title anywhere');
  await box.press('Enter');
  await page.getByText('No title or id has “no such title anywhere” in it.').waitFor();
  await box.press('Enter');
  await box.fill('NoSuchId');
  await box.press('Enter');
  await page.getByText('Press Enter again to ask about it as an id').waitFor();
  assert.doesNotMatch(page.url(), /about=/, 'a text that is no id is not asked about');
  await box.press('Enter');
  await page.locator('[data-verdict="unknown_item"]').waitFor();
  await box.fill(id);
  await box.press('Enter');
  await page.locator('[data-verdict="shown"]').waitFor();
  assert.match(page.url(), new RegExp(`about=${id}$`));
  await end();
  console.log('Enter in the search waits for what is found');
}

async function idOfFirst(page: Page): Promise<string> {
  const first = page.locator('.slate .item-button').first();
  await first.waitFor();
  const id = first.locator('.id');
  return (await ((await id.count()) > 0 ? id : first.locator('.title')).textContent())!;
}
