import { readFileSync } from 'node:fs';
import t from 'tap';
import { ERRORS } from '../../src/domain/errors.js';
import { build } from './build.js';
import type { OpenapiDocument } from './openapi-validator.js';

interface Row {
  readonly section: string;
  readonly code: string;
  readonly status: number;
  readonly title: string;
}

/** The rows of the tables of docs/errors.md, by the heading they stand under. */
function readRows(): Row[] {
  const sections = readFileSync('docs/errors.md', 'utf8').split(/^## /m).slice(1);
  return sections.flatMap((section) => {
    const [heading] = section.split('\n', 1);
    const rows = section.matchAll(/^\| `(\w+)` *\| (\d+) *\| (.*?) *\| .*\S.* \|$/gm);
    return [...rows].map(([, code, status, title]) => ({
      section: heading!,
      code: code!,
      status: Number(status),
      title: title!,
    }));
  });
}

t.test(
  'docs/errors.md has every code of the catalogue once, with its status and title, and no other',
  async (t) => {
    const page = readRows().map(({ code, status, title }) => [code, { status, title }] as const);
    t.equal(new Set(page.map(([code]) => code)).size, page.length, 'no code twice');
    const catalogue = Object.entries(ERRORS).map(([code, { status, title }]) => [code, { status, title }]);
    t.strictSame(Object.fromEntries(page), Object.fromEntries(catalogue));
  },
);

t.test('the codes under the public listener are exactly those of the OpenAPI document', async (t) => {
  const { app } = build(t);
  const document = (await app.inject('/openapi.json')).json<OpenapiDocument>();
  const { properties } = document.components.schemas['Problem'] as {
    properties: { code: { 'x-extensible-enum': string[] } };
  };
  const page = readRows().filter(({ section }) => section === 'Answers of the public listener');
  t.strictSame(page.map(({ code }) => code).sort(), [...properties.code['x-extensible-enum']].sort());
});

t.test('the example on the page is what the listener answers', async (t) => {
  const { app } = build(t);
  const example = /```json\n(.*?)```/s.exec(readFileSync('docs/errors.md', 'utf8'))![1]!;
  const { requestId, ...fields } = JSON.parse(example) as { requestId: string };
  const headers = { 'x-request-id': requestId };
  const answer = await app.inject({ url: '/recommendations/42?limit=0', headers });
  t.strictSame(answer.json(), { ...fields, requestId });
});
