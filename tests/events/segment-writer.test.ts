import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t from 'tap';
import { createSegmentWriter, type SegmentOptions } from '../../src/events/segment-writer.js';

/** A writer with what it told. */
function start(folder: string, options: Partial<SegmentOptions> = {}) {
  const told = { written: 0, dropped: 0, changes: [] as (string | undefined)[] };
  let wake = (): void => undefined;
  const observer = {
    written: (lines: number) => {
      told.written += lines;
      wake();
    },
    dropped: (lines: number) => void (told.dropped += lines),
    changed: (failure: Error | undefined) => {
      told.changes.push(failure?.message);
      wake();
    },
  };
  const writer = createSegmentWriter({
    folder,
    maxSegmentBytes: 1e6,
    maxSegmentMs: 1e6,
    flushMs: 1,
    maxBufferBytes: 1e6,
    observer,
    ...options,
  });
  /** Waits until the writer has told what is waited for; its own timers keep no process alive. */
  const until = async (isThere: () => boolean): Promise<void> => {
    const alive = setInterval(() => undefined, 1000);
    while (!isThere()) await new Promise<void>((resolve) => (wake = resolve));
    clearInterval(alive);
  };
  return { writer, told, until };
}

function readSegments(folder: string): string[] {
  return readdirSync(folder)
    .sort()
    .map((name) => readFileSync(join(folder, name), 'utf8'));
}

t.test('lines are written in order to a segment that is closed at the end', async (t) => {
  const folder = join(t.testdir(), 'new/log');
  const { writer, told } = start(folder);
  for (let line = 0; line < 1000; line++) writer.append(`${line}\n`);
  await writer.close();
  const [name, ...others] = readdirSync(folder);
  t.match(name, /^\d{8}T\d{9}Z-[0-9a-f]{8}\.jsonl$/);
  t.same(others, []);
  t.equal(readSegments(folder)[0], Array.from({ length: 1000 }, (_, line) => `${line}\n`).join(''));
  t.same(told, { written: 1000, dropped: 0, changes: [] });
});

t.test('nothing is opened for nothing', async (t) => {
  const folder = join(t.testdir(), 'log');
  await start(folder).writer.close();
  t.notOk(existsSync(folder));
});

t.test('a segment that is large enough is closed, one that is written to says so', async (t) => {
  const folder = t.testdir();
  const { writer, until, told } = start(folder, { maxSegmentBytes: 10 });
  writer.append('0123456789\n');
  await until(() => told.written === 1);
  for (let line = 2; line < 5; line++) {
    writer.append('a\n');
    await until(() => told.written === line);
  }
  t.same(
    readdirSync(folder)
      .map((name) => name.replace(/^[^.]*/, ''))
      .sort(),
    ['.jsonl', '.jsonl.open'],
  );
  await writer.close();
  t.same(readSegments(folder).sort(), ['0123456789\n', 'a\na\na\n']);
});

t.test('a segment that is old enough is closed, also when nothing more comes', async (t) => {
  const folder = t.testdir();
  let now = 1_700_000_000_000;
  const { writer, until, told } = start(folder, { maxSegmentMs: 1000, now: () => now });
  writer.append('a\n');
  await until(() => told.written === 1);
  now += 1000;
  writer.append('b\n');
  await until(() => told.written === 2);
  t.equal(readdirSync(folder).filter((name) => name.endsWith('.jsonl')).length, 1);
  await writer.close();
  const alone = t.testdir({ log: {} });
  const idle = start(join(alone, 'log'), { maxSegmentMs: 1 });
  idle.writer.append('a\n');
  await idle.until(() => idle.told.written === 1);
  while (!readdirSync(join(alone, 'log'))[0]!.endsWith('.jsonl')) await new Promise((go) => setImmediate(go));
  await idle.writer.close();
});

t.test('a folder that cannot be written to costs nothing but what there is no room for', async (t) => {
  const dir = t.testdir({ log: 'a file' });
  const folder = join(dir, 'log');
  const { writer, told, until } = start(folder, { maxBufferBytes: 10 });
  for (let line = 0; line < 8; line++) writer.append(`${line}\n`);
  await until(() => told.changes.length === 1);
  t.match(told.changes[0], /EEXIST|ENOTDIR/);
  t.equal(told.dropped, 3, 'only five lines have room');
  await rm(folder);
  await until(() => told.changes.length === 2);
  t.equal(told.changes[1], undefined, 'it is told that it can be written again');
  writer.append('9\n');
  await writer.close();
  t.same(readSegments(folder), ['0\n1\n2\n3\n4\n9\n']);
  t.equal(told.written, 6);
  writer.append('late\n');
  t.equal(told.dropped, 4);
});

t.test('what cannot be written at the end is counted', async (t) => {
  const { writer, told } = start(join(t.testdir({ log: 'a file' }), 'log'));
  writer.append('a\n');
  await writer.close();
  t.match(told, { written: 0, dropped: 1, changes: [String] });
});

t.test('a segment whose folder is taken away is told of', async (t) => {
  const dir = t.testdir();
  const folder = join(dir, 'log');
  const { writer, told, until } = start(folder);
  writer.append('a\n');
  await until(() => told.written === 1);
  await rename(folder, join(dir, 'elsewhere'));
  await writer.close();
  t.match(told.changes, [/ENOENT/]);
  t.same(readSegments(join(dir, 'elsewhere')), ['a\n']);
});

t.test('more than a chunk is written in several', async (t) => {
  const folder = t.testdir();
  const { writer, told } = start(folder, { maxSegmentBytes: 1e8, maxBufferBytes: 1e8 });
  const line = `${'x'.repeat(700_000)}\n`;
  for (let count = 0; count < 4; count++) writer.append(line);
  await writer.close();
  t.equal(told.written, 4);
  t.equal(readSegments(folder)[0]!.length, 4 * line.length);
});

const CHILD = join(import.meta.dirname, 'append-for-ever.js');

t.test('a disk that is full takes back the half of a line, and goes on when there is room', async (t) => {
  const folder = t.testdir();
  // The limit of the size of a file stands for the disk: writes fail in the same way, half done.
  const limited = 'ulimit -f 4096; exec "$0" "$@"';
  const child = spawn('bash', ['-c', limited, process.execPath, ...process.execArgv, CHILD, folder, 'once'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  for await (const line of createInterface(child.stdout)) lines.push(line);
  t.match(lines, [/^failed EFBIG/, /^written \d+ dropped \d+$/]);
  for (const text of readSegments(folder)) {
    t.ok(text.endsWith('\n'));
    t.ok(
      text
        .trim()
        .split('\n')
        .every((line) => JSON.parse(line) !== undefined),
    );
  }
});

t.test('of a process that is killed, all lines but the last one are whole', async (t) => {
  const folder = t.testdir();
  const child = spawn(process.execPath, [...process.execArgv, CHILD, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  const [text] = readSegments(folder);
  const lines = text!.split('\n').slice(0, -1);
  const numbers = lines.map((line) => (JSON.parse(line) as { line: number }).line);
  t.ok(numbers.length > 0);
  t.same(
    numbers,
    [...numbers].sort((one, other) => one - other),
  );
});
