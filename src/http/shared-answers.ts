import { hash } from 'node:crypto';
import { constants } from 'node:zlib';
import compress, { type FastifyCompressOptions } from '@fastify/compress';
import type { FastifyReply } from 'fastify';
import fresh from 'fresh';
import type { Settings } from '../config/settings.js';
import type { HttpApp } from './create-http-app.js';

/** Quality 1 of both: a list of 100 items becomes a sixth; more takes twice the time for a fifth less. */
const COMPRESSION: FastifyCompressOptions = {
  encodings: ['br', 'gzip'],
  // A list of 10 items has about 1 KB, which arrives no later as it is.
  threshold: 8192,
  // Compressed in one go, which is cheaper than a stream and tells the length; the files of `/docs` are larger.
  syncThreshold: 262_144,
  brotliOptions: { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } },
  zlibOptions: { level: 1 },
  globalDecompression: false,
};

/**
 * Lets an app answer the same to everybody: its answers have an entity tag and may be kept if they are asked for again each time (RFC 9110,
 * RFC 9111), what a client has is a 304 without a body, and long answers are compressed for clients that say they read it. HEAD has
 * the headers of GET. An app whose routes are added after it, and no other: it is to be a scope of its own.
 */
export async function shareAnswers(app: HttpApp, { auth }: Pick<Settings, 'auth'>): Promise<void> {
  const cacheControl = auth.mode === 'required' ? 'private, no-cache' : 'no-cache';
  app.addHook('onRoute', (route) => {
    // Fastify's own hook, which takes the body away, runs before compression and has the length of what GET would not send. Node sends no
    // body to HEAD.
    if (route.method === 'HEAD') delete route.onSend;
  });
  await app.register(compress, COMPRESSION);
  app.addHook('onSend', (request, reply, payload, done) => {
    // What is refused is never kept.
    if (reply.statusCode < 400) varyByEncoding(reply);
    // Of a file: what sends files has compared its tag.
    if (reply.statusCode === 304) return done(null, null);
    if (reply.statusCode !== 200 || !(typeof payload === 'string' || Buffer.isBuffer(payload)))
      return done(null, payload);
    if (!reply.hasHeader('etag')) reply.header('etag', tagOf(payload));
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', cacheControl);
    // Without `cache-control`, which is for caches: `fetch` says `no-cache` whenever a page names a tag itself.
    const asked = { 'if-none-match': request.headers['if-none-match'] };
    if (!fresh(asked, { etag: reply.getHeader('etag') })) return done(null, payload);
    reply.code(304).removeHeader('content-type');
    done(null, null);
  });
}

function varyByEncoding(reply: FastifyReply): void {
  const varies = reply.getHeader('vary');
  reply.header('vary', varies === undefined ? 'accept-encoding' : `${String(varies)}, accept-encoding`);
}

const tags = new WeakMap<Buffer, string>();

/** Tags an answer by the part of it that is the same for everybody. A part that is kept is digested once. */
export function tagAnswer(reply: FastifyReply, part: Buffer): void {
  const tag = tags.get(part) ?? tagOf(part);
  tags.set(part, tag);
  reply.header('etag', tag);
}

/** Weak: the bytes differ, by the ids of the request and by compression. */
function tagOf(content: string | Buffer): string {
  return `W/"${hash('sha256', content, 'base64url').slice(0, TAG_LENGTH)}"`;
}

/** 132 bits in base64. */
const TAG_LENGTH = 22;
