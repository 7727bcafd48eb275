import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import serveFiles from '@fastify/static';
import type { HttpApp } from '../create-http-app.js';
import { routeNotFound } from '../route-not-found.js';
import { sendWholeFiles } from '../send-whole-files.js';

/** Where `npm run build` puts the page: beside the compiled server. */
const FOLDER = join(import.meta.dirname, '../../explorer');

/** Files whose name changes with what is in them. */
const HASHED = /^app-[A-Z0-9]{8}\.(?:js|css)$/;

/** What browsers let the page do: read its own files and ask its own listener. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

/** Adds `GET /explorer` and the files of the page, which need no credentials. A build without the page serves none, and says so in its log. */
export async function addExplorerRoutes(app: HttpApp): Promise<void> {
  if (!existsSync(join(FOLDER, 'index.html'))) {
    app.log.warn('this build has no explorer: npm run build makes it');
    return;
  }
  const names = new Set(readdirSync(FOLDER).filter((name) => HASHED.test(name)));
  await app.register(serveFiles, { root: FOLDER, serve: false });
  sendWholeFiles(app);
  app.addHook('onRequest', (_request, reply, done) => {
    reply.header('content-security-policy', POLICY);
    done();
  });
  app.get(
    '/explorer',
    { schema: { hide: true }, config: { isPublic: true, isPage: true } },
    async (_request, reply) =>
      reply.header('cache-control', 'no-cache').sendFile('index.html', { cacheControl: false }),
  );
  // What people type; links lead to the page itself.
  for (const [path, target] of [
    ['/', 'explorer'],
    ['/explorer/', '../explorer'],
  ] as const)
    app.get(path, { schema: { hide: true }, config: { isPublic: true } }, async (_request, reply) =>
      reply.redirect(target),
    );
  app.get<{ Params: { file: string } }>(
    '/explorer/:file',
    { schema: { hide: true }, config: { isPublic: true } },
    async (request, reply) => {
      const { file } = request.params;
      if (!names.has(file)) throw routeNotFound(request);
      return reply.sendFile(file, { immutable: true, maxAge: '1y' });
    },
  );
}
