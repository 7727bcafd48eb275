import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createDependencyAccess, type DependencyPolicy } from '../../../../src/domain/dependency-access.js';
import { downloadArchive, type DownloadOptions } from '../../../../src/offline/data/download/download.js';
import { SILENT_PROGRESS, type ProgressReporter } from '../../../../src/offline/progress/progress.js';
import { makeZip } from '../make-zip.js';

const ARCHIVE = makeZip({
  'set/ratings.csv': Array.from({ length: 5000 }, (_, row) => `${row},${(row * 7919) % 1009}\n`).join(''),
});
const SHA256 = createHash('sha256').update(ARCHIVE).digest('hex');

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A server that gives its answers in turn, the last one again and again, and remembers what was asked. */
async function serve(
  t: Test,
  answers: readonly Answer[],
): Promise<{ url: string; ranges: (string | undefined)[]; sent: () => number }> {
  const ranges: (string | undefined)[] = [];
  let sent = 0;
  const server = createServer((request, response) => {
    ranges.push(request.headers.range);
    const write = response.write.bind(response);
    const counted = (chunk: Uint8Array): boolean => ((sent += chunk.length), write(chunk));
    Object.assign(response, { write: counted });
    answers[Math.min(ranges.length, answers.length) - 1]!(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/set.zip`,
    ranges,
    sent: () => sent,
  };
}

/** Answers as a file server does, Range included. */
const whole: Answer = (request, response) => {
  const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
  if (start >= ARCHIVE.length) {
    response.writeHead(416).end();
    return;
  }
  const headers =
    start > 0 ? { 'content-range': `bytes ${start}-${ARCHIVE.length - 1}/${ARCHIVE.length}` } : {};
  response.writeHead(start > 0 ? 206 : 200, { 'content-length': ARCHIVE.length - start, ...headers });
  response.write(ARCHIVE.subarray(start));
  response.end();
};

/** An answer that breaks off once the client has stored its first bytes, and the progress that tells so. */
function breakOff(bytes: number): { answer: Answer; progress: ProgressReporter } {
  let tellArrival: () => void;
  const arrival = new Promise<void>((resolve) => (tellArrival = resolve));
  let stored = 0;
  const advance = (units = 1): void => {
    stored += units;
    if (stored >= bytes) tellArrival();
  };
  return {
    answer: (_, response) => {
      response.writeHead(200, { 'content-length': ARCHIVE.length });
      response.write(ARCHIVE.subarray(0, bytes));
      void arrival.then(() => response.destroy());
    },
    progress: { start: () => ({ advance, finish: () => undefined }) },
  };
}

const status =
  (code: number): Answer =>
  (_, response) =>
    void response.writeHead(code).end();

const silent: Answer = () => undefined;

const fast = { progress: SILENT_PROGRESS };

/** Downloads into `<folder of the test>/set`. */
async function download(
  t: Test,
  url: string,
  options: Partial<DownloadOptions> & Partial<DependencyPolicy> & { sha256?: string; sizeBytes?: number } = {},
): Promise<string> {
  const { sha256 = SHA256, sizeBytes, attempts = 4, totalMs = 60_000, ...rest } = options;
  const access = createDependencyAccess({ attempts, totalMs, firstWaitMs: 1 });
  const toDir = join(t.testdirName, 'set');
  await downloadArchive({ url, sha256, sizeBytes }, { toDir, access, ...fast, ...rest });
  return toDir;
}

t.beforeEach((t) => void t.testdir({}));

t.test('an archive is downloaded, checked, unpacked, and nothing is left beside it', async (t) => {
  const server = await serve(t, [whole]);
  const steps: string[] = [];
  let bytes = 0;
  const toDir = await download(t, server.url, {
    sizeBytes: ARCHIVE.length,
    progress: {
      start: (label, total) => {
        steps.push(`${label} ${total ?? ''}`);
        return {
          advance: (units = 1) => void (bytes += units),
          finish: (summary) => void steps.push(summary!),
        };
      },
    },
  });
  t.equal(readFileSync(join(toDir, 'ratings.csv'), 'utf8').length, 43_391);
  t.strictSame(readdirSync(t.testdirName), ['set']);
  t.equal(bytes, ARCHIVE.length);
  t.strictSame(steps, [
    `download ${server.url} ${ARCHIVE.length}`,
    `sha256 ${SHA256.slice(0, 12)}… is right`,
    `unpack into ${toDir} `,
    '1 files',
  ]);
});

t.test('a download that breaks off goes on where it stopped, and no byte is sent twice', async (t) => {
  const { answer, progress } = breakOff(9000);
  const server = await serve(t, [answer, whole]);
  await download(t, server.url, { progress });
  t.strictSame(server.ranges, [undefined, 'bytes=9000-']);
  t.equal(server.sent(), ARCHIVE.length, 'each byte was sent once');
});

t.test('a download that failed for good is resumed by the next run', async (t) => {
  const { answer, progress } = breakOff(9000);
  const first = await serve(t, [answer, status(503)]);
  await t.rejects(download(t, first.url, { progress }), {
    code: 'DOWNLOAD_FAILED',
    message: /^cannot download .*: the server answers 503 Service Unavailable; run it again to resume$/,
  });
  t.strictSame(readdirSync(t.testdirName), ['set.part']);
  const second = await serve(t, [whole]);
  let bytes = 0;
  await download(t, second.url, {
    progress: { start: () => ({ advance: (units = 1) => void (bytes += units), finish: () => undefined }) },
  });
  t.strictSame(second.ranges, ['bytes=9000-']);
  t.equal(second.sent(), ARCHIVE.length - 9000);
  t.equal(bytes, ARCHIVE.length, 'progress counts what was there');
});

t.test('a part file that is already complete is not asked for again', async (t) => {
  writeFileSync(join(t.testdirName, 'set.part'), ARCHIVE);
  const server = await serve(t, [whole]);
  await download(t, server.url, { sizeBytes: ARCHIVE.length });
  t.strictSame(server.ranges, []);
});

t.test('a complete part file of unknown size is found out by its sha256', async (t) => {
  writeFileSync(join(t.testdirName, 'set.part'), ARCHIVE);
  const server = await serve(t, [whole]);
  await download(t, server.url);
  t.strictSame(server.ranges, [`bytes=${ARCHIVE.length}-`]);
  t.equal(server.sent(), 0);
});

t.test('a server that is busy is asked again', async (t) => {
  const server = await serve(t, [status(503), status(429), whole]);
  await download(t, server.url);
  t.equal(server.ranges.length, 3);
});

t.test('a server that refuses is not asked again', async (t) => {
  const server = await serve(t, [status(404)]);
  await t.rejects(download(t, server.url), {
    code: 'DOWNLOAD_FAILED',
    message: /the server answers 404 Not Found/,
  });
  t.equal(server.ranges.length, 1);
});

t.test('a server that does not answer Range is read from the start', async (t) => {
  const ignoring: Answer = (_, response) => void response.writeHead(200).end(ARCHIVE);
  const { answer, progress } = breakOff(5000);
  const server = await serve(t, [answer, ignoring]);
  const toDir = await download(t, server.url, { progress });
  t.strictSame(server.ranges, [undefined, 'bytes=5000-']);
  t.ok(existsSync(join(toDir, 'ratings.csv')));
});

t.test('a server that answers another Range than asked is read from the start', async (t) => {
  writeFileSync(join(t.testdirName, 'set.part'), ARCHIVE.subarray(0, 100));
  const other: Answer = (_, response) => {
    const headers = { 'content-range': `bytes 0-${ARCHIVE.length - 1}/${ARCHIVE.length}` };
    response.writeHead(206, headers).end(ARCHIVE);
  };
  const server = await serve(t, [other]);
  await download(t, server.url);
  t.strictSame(server.ranges, ['bytes=100-']);
});

t.test('content with another sha256 is refused with both, and its part file is removed', async (t) => {
  const server = await serve(t, [whole]);
  const sha256 = 'f'.repeat(64);
  await t.rejects(download(t, server.url, { sha256 }), {
    code: 'DOWNLOAD_FAILED',
    message: `${server.url} is not the file that was expected: its sha256 is ${SHA256}, expected ${sha256}`,
  });
  t.strictSame(readdirSync(t.testdirName), []);
  t.equal(server.ranges.length, 1);
});

t.test('what an earlier run left of another version of the file is given up for a fresh start', async (t) => {
  writeFileSync(join(t.testdirName, 'set.part'), 'of yesterday');
  const server = await serve(t, [whole]);
  await download(t, server.url);
  t.strictSame(server.ranges, ['bytes=12-', undefined]);
});

t.test('a body of unannounced length that ends too early is resumed when the size is known', async (t) => {
  const short: Answer = (_, response) => {
    response.useChunkedEncodingByDefault = false;
    response.writeHead(200, { connection: 'close' }).end(ARCHIVE.subarray(0, 700));
  };
  const always = await serve(t, [short, status(503)]);
  await t.rejects(download(t, always.url, { sizeBytes: ARCHIVE.length, attempts: 1 }), {
    code: 'DOWNLOAD_FAILED',
    message: new RegExp(`it ended after 700 of ${ARCHIVE.length} bytes`),
  });
  const server = await serve(t, [whole]);
  await download(t, server.url, { sizeBytes: ARCHIVE.length });
  t.strictSame(server.ranges, ['bytes=700-']);
});

t.test('a server that is silent is given up after the stall limit, each time', async (t) => {
  const server = await serve(t, [silent]);
  await t.rejects(download(t, server.url, { attempts: 2, stallMs: 60 }), {
    code: 'DOWNLOAD_FAILED',
    message: /nothing arrived for 0\.06 s/,
  });
  t.equal(server.ranges.length, 2);
});

t.test('a server that never answers hits the limit of the whole download', async (t) => {
  const server = await serve(t, [silent]);
  await t.rejects(download(t, server.url, { totalMs: 80 }), {
    code: 'DOWNLOAD_FAILED',
    message: /not done within 0\.08 s; run it again to resume$/,
  });
});

t.test('a caller can stop a download', async (t) => {
  const controller = new AbortController();
  const server = await serve(t, [() => controller.abort(new Error('stopped by hand'))]);
  await t.rejects(download(t, server.url, { signal: controller.signal }), {
    code: 'DOWNLOAD_FAILED',
    message: /stopped by hand/,
  });
});

t.test('a server that cannot be reached is an error with the reason', async (t) => {
  await t.rejects(download(t, 'http://127.0.0.1:1/set.zip', { attempts: 2 }), {
    code: 'DOWNLOAD_FAILED',
    message: /fetch failed \(/,
  });
});

t.test('a folder with files in it is not overwritten', async (t) => {
  mkdirSync(join(t.testdirName, 'set'));
  writeFileSync(join(t.testdirName, 'set', 'mine.csv'), 'mine');
  const server = await serve(t, [whole]);
  await t.rejects(download(t, server.url), {
    code: 'DOWNLOAD_FAILED',
    message: /set exists already and is not empty; remove it to download again$/,
  });
  t.equal(server.ranges.length, 0);
});

t.test('an archive that cannot be unpacked leaves no folder', async (t) => {
  const evil = makeZip({ '../evil': 'evil' });
  const server = await serve(t, [(_, response) => void response.end(evil)]);
  const sha256 = createHash('sha256').update(evil).digest('hex');
  await t.rejects(download(t, server.url, { sha256 }), {
    code: 'DOWNLOAD_FAILED',
    message: /invalid relative path/,
  });
  t.strictSame(readdirSync(t.testdirName), ['set.part']);
});
