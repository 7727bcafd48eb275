import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t, { type Test } from 'tap';
import type { Impression } from '../../src/events/impression.js';
import { openDatabase, queryRows } from '../../src/offline/data/database.js';
import { compactImpressions } from '../../src/offline/feedback/impressions/compact-impressions.js';
import { SILENT_PROGRESS } from '../../src/offline/progress/progress.js';
import { CANNOT_SUSPEND, runUntil, waitForStop } from '../support/stopped-process.js';
import { NOBODY_FORGOTTEN } from '../support/nobody-forgotten.js';

// A log that is compacted while processes write to it that are suspended, and compactions that are killed.

const compact = (folder: string) =>
  compactImpressions(folder, {
    outDir: join(folder, 'parquet'),
    abandonedBefore: Date.now() + 1e6,
    forgotten: NOBODY_FORGOTTEN,
    progress: SILENT_PROGRESS,
  });

async function listCompacted(folder: string): Promise<string[]> {
  const { connection, close } = await openDatabase();
  const from = `'${folder}/parquet/*.parquet'`;
  const rows = await queryRows(connection, `SELECT DISTINCT request_id AS id FROM ${from} ORDER BY id`);
  close();
  return rows.map(({ id }) => String(id));
}

/** A process that writes to a log what it is told. */
function startWriter(t: Test, folder: string) {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../events/append-slowly.js'), folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const written = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    /** Gives when it counts as written. */
    write: async (requestId: string) => {
      child.stdin.write(`${requestId}\n`);
      await written.next();
    },
    suspend: async () => {
      child.kill('SIGSTOP');
      await waitForStop(child);
    },
    resume: () => child.kill('SIGCONT'),
    kill: async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
    end: async () => {
      child.stdin.end();
      await once(child, 'exit');
    },
  };
}

const openSegments = (folder: string): string[] =>
  readdirSync(folder).filter((name) => name.endsWith('.open'));

t.test(
  'the segment of a process that is suspended is left to it, however old',
  { skip: CANNOT_SUSPEND },
  async (t) => {
    const folder = t.testdir();
    const writer = startWriter(t, folder);
    await writer.write('before');
    await writer.suspend();
    const [open] = openSegments(folder);
    utimesSync(join(folder, open!), 0, 0);
    t.match(await compact(folder), { segments: 0 });
    writer.resume();
    await writer.write('after');
    await writer.end();
    await compact(folder);
    t.same(await listCompacted(folder), ['after', 'before']);
  },
);

t.test(
  'what counts as written is there when a segment was taken on another machine',
  { skip: CANNOT_SUSPEND },
  async (t) => {
    const folder = t.testdir();
    const writer = startWriter(t, folder);
    await writer.write('before');
    await writer.suspend();
    // Another machine cannot see that the process lives: by its age the segment is abandoned.
    const [open] = openSegments(folder);
    renameSync(join(folder, open!), join(folder, open!.replace(/~.*/, '.jsonl')));
    t.match(await compact(folder), { segments: 1 });
    writer.resume();
    await writer.write('after');
    await writer.end();
    await compact(folder);
    t.same(await listCompacted(folder), ['after', 'before']);
  },
);

t.test('a folder that is removed under a process is made again', { skip: CANNOT_SUSPEND }, async (t) => {
  const folder = join(t.testdir(), 'log');
  const writer = startWriter(t, folder);
  await writer.write('before');
  rmSync(folder, { recursive: true });
  await writer.write('after');
  await writer.end();
  await compact(folder);
  t.same(await listCompacted(folder), ['after'], 'nothing more is lost than what was removed');
});

t.test(
  'the segment of a process that was killed is compacted at once',
  { skip: CANNOT_SUSPEND },
  async (t) => {
    const folder = t.testdir();
    const writer = startWriter(t, folder);
    await writer.write('before');
    await writer.kill();
    const [open] = openSegments(folder);
    t.ok(open);
    const never = {
      outDir: join(folder, 'parquet'),
      abandonedBefore: 0,
      forgotten: NOBODY_FORGOTTEN,
      progress: SILENT_PROGRESS,
    };
    t.match(await compactImpressions(folder, never), { segments: 1, impressions: 1 });
  },
);

/** Two days with damage in both, and a segment of which nothing is an impression. */
function writeDamagedLog(folder: string): void {
  const line = (requestId: string): string =>
    `${JSON.stringify({
      time: '2026-01-02T03:04:05.678Z',
      requestId,
      scenario: 'home',
      bundle: '20260101T000000Z-00000000',
      strategy: 'personalised',
      degraded: [],
      limit: 2,
      cache: 'off',
      milliseconds: 1,
      items: [],
    } satisfies Impression)}\n`;
  const segments = {
    '20260101T000000000Z-0000000a.jsonl': `${line('a')}nonsense\n${line('b')}`,
    '20260101T000000000Z-0000000b.jsonl': line('c'),
    '20260102T000000000Z-0000000c.jsonl': `${line('d')}null\n${line('e')}`,
    '20260103T000000000Z-0000000d.jsonl': 'nothing\nat all\n{}\n',
  };
  for (const [name, text] of Object.entries(segments)) writeFileSync(join(folder, name), text);
}

t.test(
  'a compaction that is killed anywhere loses nothing, counts nothing twice, and keeps what is damaged',
  { skip: CANNOT_SUSPEND },
  async (t) => {
    const dir = t.testdir({});
    let killed = 0;
    for (let at = 1; ; at++) {
      const folder = join(dir, String(at));
      mkdirSync(folder);
      writeDamagedLog(folder);
      const run = await runUntil(t, { at, signal: 'SIGKILL' }, [
        'offline/feedback/impressions/compact-log.js',
        folder,
        join(folder, 'parquet'),
      ]);
      const end = await run.end();
      await compact(folder);
      t.same(await listCompacted(folder), ['a', 'b', 'c', 'd', 'e'], `killed before change ${at}`);
      const rejected = readdirSync(folder).filter((name) => name.endsWith('.rejected'));
      t.same(rejected.sort(), [
        '20260101T000000000Z-0000000a.jsonl.rejected',
        '20260102T000000000Z-0000000c.jsonl.rejected',
        '20260103T000000000Z-0000000d.jsonl.rejected',
      ]);
      t.same(
        readdirSync(folder).filter((name) => name.endsWith('.jsonl')),
        [],
      );
      if (end === 0) break;
      t.equal(end, 'SIGKILL', run.output());
      killed++;
    }
    t.ok(killed > 5, `killed at ${killed} points`);
  },
);

t.test('two compactions of one log at once count nothing twice', { skip: CANNOT_SUSPEND }, async (t) => {
  const folder = t.testdir();
  writeDamagedLog(folder);
  const counts = await Promise.all([compact(folder), compact(folder), compact(folder)]);
  t.equal(
    counts.reduce((sum, { impressions }) => sum + impressions, 0),
    5,
  );
  t.same(await listCompacted(folder), ['a', 'b', 'c', 'd', 'e']);
});
