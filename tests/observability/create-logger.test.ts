import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createLogger, type LoggerOptions } from '../../src/observability/create-logger.js';

function build(t: Test, options: Partial<LoggerOptions> = {}) {
  const file = join(t.testdir({}), 'log');
  const logger = createLogger({ level: 'info', writing: 'sync', destination: file, ...options });
  const lines = () => readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return { logger, lines, first: () => JSON.parse(lines()[0]!) as Record<string, unknown> };
}

t.test('a line says its level in words and its time in ISO 8601, and no more than it is told', async (t) => {
  const { logger, first } = build(t);
  logger.warn({ bundle: 'v1' }, 'swapped');
  const { time, ...rest } = first();
  t.strictSame(rest, { level: 'warn', bundle: 'v1', msg: 'swapped' });
  t.equal(new Date(time as string).toISOString(), time);
});

t.test('a line of a process in a group says which one wrote it', async (t) => {
  const { logger, first } = build(t, { process: '2' });
  logger.info('ready');
  t.match(first(), { process: '2', msg: 'ready' });
  t.strictSame(logger.bindings(), { process: '2' });
});

t.test('lines below the level are not written', async (t) => {
  const { logger, lines } = build(t, { level: 'warn' });
  logger.info('quiet');
  logger.error('loud');
  t.equal(lines().length, 1);
});

t.test('secrets are replaced', async (t) => {
  const { logger, lines } = build(t);
  logger.info({ token: 's3cret', headers: { cookie: 's3cret', 'x-api-key': 's3cret' } });
  logger.info({ req: { headers: { authorization: 's3cret' } } });
  t.notMatch(lines().join('\n'), 's3cret');
  t.match(lines()[1], '"authorization":"[redacted]"');
});

t.test('no value can forge a line or steer a terminal', async (t) => {
  const { logger, lines, first } = build(t);
  const nasty = 'a\r\nb\u001b[2Jc\u009b31md\u2028e\u202ef\u0000g';
  logger.info({ scenario: nasty });
  t.equal(lines().length, 1);
  t.notMatch(lines()[0], /[\p{Cc}\u2028\u202e]/u);
  t.equal(first()['scenario'], nasty, 'and the value is still the same');
});

t.test('an error keeps its code, its cause and its stack', async (t) => {
  const { logger, first } = build(t);
  logger.error({ err: new Error('no bundle', { cause: new TypeError('x') }) }, 'failed');
  t.match(first()['err'], { message: /no bundle/, stack: /TypeError: x/ });
});

t.test('an asynchronous logger loses no line when the process exits at once', async (t) => {
  const source = join(import.meta.dirname, '../../src/observability/create-logger.js');
  const script = `const { createLogger } = await import(${JSON.stringify(source)});
    const logger = createLogger({ level: 'info', writing: 'async' });
    for (let line = 0; line < 100; line++) logger.info({ line });
    process.exit(0);`;
  const args = [...process.execArgv, '--input-type=module', '--eval', script];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  t.equal(stdout.trim().split('\n').length, 100, stderr);
});

for (const [gone, stdout] of [
  ['the reader of the log is gone', 'pipe'],
  ['the disk is full', 'full'],
] as const) {
  const skip = stdout === 'full' && !existsSync('/dev/full') && 'this system has no /dev/full';
  t.test(`a process ends with its own exit code when ${gone}`, { skip }, async (t) => {
    const source = join(import.meta.dirname, '../../src/observability/create-logger.js');
    const script = `const { createLogger, flushLogger } = await import(${JSON.stringify(source)});
      const logger = createLogger({ level: 'info', writing: 'async' });
      process.on('message', async () => {
        for (let line = 0; line < 3; line++) logger.info({ line });
        await flushLogger(logger);
        logger.info('one more');
        process.exit(7);
      });
      process.send('ready');`;
    const out = stdout === 'full' ? openSync('/dev/full', 'w') : 'pipe';
    const args = [...process.execArgv, '--input-type=module', '--eval', script];
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', out, 'inherit', 'ipc'],
      timeout: 20_000,
      killSignal: 'SIGKILL',
    });
    await once(child, 'message');
    if (child.stdout !== null) await once(child.stdout.destroy(), 'close');
    child.send('stop');
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
    t.same({ code, signal }, { code: 7, signal: null });
  });
}

/** Writes 40 MB of lines, and ends. */
const WRITER = `const { createLogger, flushLogger } = await import(process.argv[1]);
  let dropped = 0;
  const parts = { level: 'info', writing: 'async', onDropped: () => dropped++ };
  const logger = createLogger({ ...parts, maxBufferBytes: Number(process.argv[2]) });
  const text = 'x'.repeat(4000);
  for (let line = 0; line < 10_000; line++) {
    logger.info({ text });
    if (line % 100 === 0) await new Promise(setImmediate);
  }
  createLogger({ level: 'info', writing: 'sync' }).fatal('last words');
  await flushLogger(logger);
  process.on('exit', () => process.stderr.write(JSON.stringify({ dropped })));
  process.exit(7);`;

/** Runs it with a log that nobody reads. Node gives a process sockets to write to, a shell gives it pipes. */
async function writeToNobody(t: Test, kind: 'pipe' | 'socket', maxBufferBytes: number) {
  const source = join(import.meta.dirname, '../../src/observability/create-logger.js');
  const program = [process.execPath, '--input-type=module', '--eval', WRITER, source, String(maxBufferBytes)];
  const [command, ...args] =
    kind === 'socket' ? program : ['sh', '-c', '("$@"; echo "code $?" >&2) | sleep 600', 'sh', ...program];
  const child = spawn(command!, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  // The shell's own end leaves who was to read.
  t.teardown(() => (kind === 'pipe' ? process.kill(-child.pid!, 'SIGKILL') : child.kill('SIGKILL')));
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const ended =
    kind === 'socket'
      ? once(child, 'exit').then(([code]) => `code ${code}`)
      : new Promise<string>(() => undefined);
  while (!/^\{.*\}/.test(said)) await once(child.stderr, 'data');
  if (kind === 'socket') said += await ended;
  while (!/code \d/.test(said)) await once(child.stderr, 'data');
  const code = /code \d+/.exec(said)![0];
  return { code, ...(JSON.parse(/^\{[^}]*\}/.exec(said)![0]) as { dropped: number }) };
}

for (const kind of ['pipe', 'socket'] as const) {
  t.test(`a ${kind} that nobody reads costs lines that are counted, and holds up no exit`, async (t) => {
    const { code, dropped } = await writeToNobody(t, kind, 1e6);
    t.equal(code, 'code 7');
    t.ok(dropped > 9000, `${dropped} of 10000 lines were dropped`);
  });
}

t.test('negative control: without a bound every line is kept', async (t) => {
  const { code, dropped } = await writeToNobody(t, 'pipe', 1e9);
  t.same({ code, dropped }, { code: 'code 7', dropped: 0 });
});
