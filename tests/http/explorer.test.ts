import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { createApiKey } from '../../src/config/api-keys.js';
import { loadSettings } from '../../src/config/load-settings.js';
import { build } from './build.js';

const FOLDER = join(import.meta.dirname, '../../src/explorer');
const MOST_BYTES = 80_000;

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; " +
  "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

async function readPage(t: Test) {
  const { admin } = build(t);
  const page = await admin.inject('/explorer');
  const files = [...page.body.matchAll(/(?:href|src)="(explorer\/[^"]+)"/g)].map(([, path]) => `/${path}`);
  return { admin, page, files };
}

t.test('the page is asked for anew each time, and may read its own listener only', async (t) => {
  const { page, files } = await readPage(t);
  t.match(page, { statusCode: 200, headers: { 'content-type': /^text\/html/ } });
  t.equal(page.headers['cache-control'], 'no-cache');
  t.equal(page.headers['content-security-policy'], POLICY);
  t.notMatch(page.body, /<script(?![^>]* src=)|<style|\son\w+=|style="/, 'nothing inline');
  t.match(files, [/\.css$/, /\.js$/]);
});

t.test('files of the page are kept for good, since their names change with them', async (t) => {
  const { admin, files } = await readPage(t);
  for (const file of files) {
    const answer = await admin.inject({ url: file, headers: { range: 'bytes=0-9', 'if-match': 'x' } });
    t.equal(answer.statusCode, 200, file);
    t.equal(answer.headers['cache-control'], 'public, max-age=31536000, immutable');
    t.match(answer.headers['content-type'], file.endsWith('.js') ? /javascript/ : /css/);
    t.equal(answer.headers['content-security-policy'], POLICY);
    t.ok(answer.rawPayload.length > 1000, 'it is whole');
  }
});

t.test('script and style are small together', async (t) => {
  const { admin, files } = await readPage(t);
  const sizes = await Promise.all(
    files.map(async (file) => gzipSync((await admin.inject(file)).rawPayload).length),
  );
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  t.comment(`${bytes} bytes gzip`);
  t.ok(bytes > 10_000 && bytes <= MOST_BYTES, `${bytes} bytes`);
});

t.test('nothing else of the folder is served, and no path leads out of it', async (t) => {
  const { admin } = await readPage(t);
  for (const file of [
    'address.js',
    'index.html',
    'NOTICE.txt',
    'app-AAAAAAAA.js',
    '..%2f..%2fpackage.json',
  ]) {
    t.match((await admin.inject(`/explorer/${file}`)).json(), { status: 404, code: 'ROUTE_NOT_FOUND' }, file);
  }
});

t.test('what people type instead leads to it', async (t) => {
  const { admin } = await readPage(t);
  for (const path of ['/', '/explorer/']) {
    const { statusCode, headers } = await admin.inject(path);
    t.equal(statusCode, 302, path);
    t.equal(new URL(String(headers.location), `http://localhost${path}`).pathname, '/explorer', path);
  }
});

t.test('the public listener has no explorer', async (t) => {
  const { app } = build(t);
  t.match((await app.inject('/explorer')).json(), { status: 404 });
});

t.test('with explorer.enabled false there is neither the page nor a file of it', async (t) => {
  const { files } = await readPage(t);
  const { admin } = build(t, { explorer: { enabled: false } });
  for (const url of ['/explorer', ...files]) t.match((await admin.inject(url)).json(), { status: 404 }, url);
});

t.test('where credentials are required the page needs none, and what it asks does', async (t) => {
  const { files } = await readPage(t);
  const { entry } = createApiKey('ops', ['admin']);
  const { admin } = build(t, { auth: { mode: 'required', apiKeys: [entry], openRoutes: [] } });
  for (const url of ['/explorer', ...files]) t.equal((await admin.inject(url)).statusCode, 200, url);
  for (const url of ['/bundle', '/metrics']) t.equal((await admin.inject(url)).statusCode, 401, url);
});

t.test('staging and production have no explorer unless they say so', async (t) => {
  const enabled = ['development', 'staging', 'production'].map(
    (SHORTLIST_ENV) => loadSettings({ configsDir: 'configs', env: { SHORTLIST_ENV } }).explorer.enabled,
  );
  t.same(enabled, [true, false, false]);
});

t.test('licences of all that is in the page stand beside it', async (t) => {
  const notice = readFileSync(join(FOLDER, 'NOTICE.txt'), 'utf8');
  const { devDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    devDependencies: Record<string, string>;
  };
  for (const name of ['preact', 'uplot']) {
    t.match(notice, `${name} ${devDependencies[name]}\n`);
    t.match(notice, readFileSync(join('node_modules', name, 'LICENSE'), 'utf8').trim());
  }
});

t.test('a new build leaves nothing of the one before', async (t) => {
  t.equal(readdirSync(FOLDER).filter((name) => name.startsWith('app-')).length, 2);
});
