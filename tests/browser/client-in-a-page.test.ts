import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { build } from '../http/build.js';
import { BROWSER_MISSING, openBrowser } from './open-browser.js';

const CLIENT = join(import.meta.dirname, '../../client/src');

/** A page that loads the client as browsers do: modules, without a bundler. */
const PAGE = `<!doctype html><script type="importmap">
  { "imports": { "@shortlist/client": "/shortlist-client.js", "openapi-fetch": "/openapi-fetch.js" } }
</script>`;

function readPageFile(path: string): { type: string; body: string } {
  if (path === '/') return { type: 'text/html', body: PAGE };
  const file =
    path === '/openapi-fetch.js' ? 'node_modules/openapi-fetch/dist/index.mjs' : join(CLIENT, path);
  return { type: 'text/javascript', body: readFileSync(file, 'utf8') };
}

/** The origin of the page, which is not that of Shortlist. */
async function startPage(t: Test): Promise<string> {
  const server = createServer(({ url }, response) => {
    if (url === '/favicon.ico') return response.writeHead(204).end();
    const { type, body } = readPageFile(url!);
    return response.writeHead(200, { 'content-type': type }).end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://localhost:${(server.address() as AddressInfo).port}`;
}

/** Shortlist, whose answers the page may read, and the requests that arrive there. */
async function startShortlist(t: Test, page: string) {
  const { app } = build(t, { cors: { origins: [page] } });
  const arrived: IncomingMessage[] = [];
  // Not by a hook: preflights are answered before those that are added now.
  app.server.on('request', (request: IncomingMessage) => arrived.push(request));
  return { url: await app.listen({ host: '127.0.0.1', port: 0 }), arrived };
}

/** Runs a module in the page that has `url`, the address of Shortlist; gives what it exports as `result`. */
async function runInPage(t: Test, module: (url: string) => string) {
  const page = await startPage(t);
  const { url, arrived } = await startShortlist(t, page);
  const browser = await openBrowser();
  t.teardown(() => browser.close());
  const tab = await browser.newPage();
  await tab.goto(page);
  const result = await tab.evaluate(
    (text) => import(URL.createObjectURL(new Blob([text], { type: 'text/javascript' }))),
    module(url),
  );
  return { result: (result as { result: unknown }).result, arrived };
}

t.test('the client in a page of another origin', { skip: BROWSER_MISSING }, async (t) => {
  await t.test('asks without asking first, and the server knows how long it waits', async (t) => {
    const { result, arrived } = await runInPage(
      t,
      (url) => `import { createShortlistClient } from '@shortlist/client';
        const client = createShortlistClient({ baseUrl: '${url}', timeoutMs: 5000 });
        const { items } = await client.recommendations('42', { limit: 2, filter: ['genres:Drama'] });
        const similar = await client.similarItems('7', { limit: 1 });
        const popular = await client.popular();
        const { status } = await client.ready();
        export const result = [items.length, similar.items.length, popular.items.length, status];`,
    );
    t.same(result, [2, 1, 10, 'ready']);
    t.same(
      arrived.map(({ method }) => method),
      ['GET', 'GET', 'GET', 'GET'],
    );
    for (const { url, headers } of arrived.slice(0, 3)) {
      const told = Number(new URL(url!, 'http://localhost').searchParams.get('timeoutMs'));
      t.ok(told > 0 && told <= 4000, url!);
      t.equal(headers['x-request-timeout-ms'], undefined);
    }
  });

  await t.test('tells it by the header where credentials ask for permission anyway', async (t) => {
    const { result, arrived } = await runInPage(
      t,
      (url) => `import { createShortlistClient } from '@shortlist/client';
        const client = createShortlistClient({ baseUrl: '${url}', token: 'jwt', timeoutMs: 5000 });
        export const result = (await client.popular({ limit: 3 })).items.length;`,
    );
    t.equal(result, 3);
    t.same(
      arrived.map(({ method, url }) => `${method} ${url}`),
      ['OPTIONS /popular?limit=3', 'GET /popular?limit=3'],
    );
    t.ok(Number(arrived[1]!.headers['x-request-timeout-ms']) > 0);
  });

  await t.test('asks by a body once the server allows it, with events off too', async (t) => {
    const { result, arrived } = await runInPage(
      t,
      (url) => `import { createShortlistClient } from '@shortlist/client';
        const client = createShortlistClient({ baseUrl: '${url}', timeoutMs: 5000 });
        const answer = await client.recommend({ sessionId: 'v-17', candidates: ['9', '8'] });
        export const result = answer.items.map(({ itemId }) => itemId);`,
    );
    t.same(result, ['8', '9']);
    t.same(
      arrived.map(({ method, url }) => `${method} ${url}`),
      ['OPTIONS /recommendations', 'POST /recommendations'],
    );
  });

  await t.test('may add the headers of tracing, and read the answer', async (t) => {
    const headers = {
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      tracestate: 'vendor=1',
      baggage: 'shop=de',
      'sentry-trace': '0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1',
      b3: '0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1',
    };
    const { result, arrived } = await runInPage(
      t,
      (url) => `import { createShortlistClient } from '@shortlist/client';
        const client = createShortlistClient({
          baseUrl: '${url}',
          fetch: (request) => {
            for (const [name, value] of Object.entries(${JSON.stringify(headers)})) request.headers.set(name, value);
            return fetch(request);
          },
        });
        export const result = (await client.popular({ limit: 3 })).items.length;`,
    );
    t.equal(result, 3);
    t.match(arrived.at(-1), { method: 'GET', headers });
  });
});
