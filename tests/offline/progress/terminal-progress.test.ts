import { PassThrough } from 'node:stream';
import t from 'tap';
import { SILENT_PROGRESS } from '../../../src/offline/progress/progress.js';
import { createTerminalProgress } from '../../../src/offline/progress/terminal-progress.js';

/** A stream that keeps what is written to it, as a terminal or as a pipe. */
function createOutput(options: { isTTY: boolean }): { stream: NodeJS.WriteStream; text: () => string } {
  const stream = new PassThrough();
  const chunks: string[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
  const noCursor = { cursorTo: () => true, clearLine: () => true, moveCursor: () => true };
  const terminal = Object.assign(stream, { isTTY: options.isTTY, columns: 80, ...noCursor });
  return { stream: terminal as unknown as NodeJS.WriteStream, text: () => chunks.join('') };
}

t.test(
  'where there is no terminal, steps log their start, their end and at most one line per 5 s',
  async (t) => {
    const { stream, text } = createOutput({ isTTY: false });
    let now = 0;
    const progress = createTerminalProgress(stream, { now: () => now });
    const step = progress.start('train', 12_000);
    for (; now < 11_000; now += 1000) step.advance(1000);
    step.finish('all is well');
    const unknown = progress.start('wait');
    now += 5000;
    unknown.advance();
    now += 500;
    unknown.finish();
    t.equal(
      text(),
      'train …\ntrain: 6,000 of 12,000; about 5 s left\ntrain: 11,000 of 12,000; about 1 s left\ntrain: all is well\nwait …\nwait: 1\nwait: done in 5.5 s\n',
    );
  },
);

t.test('a terminal shows a bar, and one line is left of it', async (t) => {
  const { stream, text } = createOutput({ isTTY: true });
  let now = 0;
  const progress = createTerminalProgress(stream, { now: () => now });
  const step = progress.start('train', 10);
  step.advance(4);
  now += 20_000;
  step.advance();
  step.finish('10 trees');
  t.match(text(), /train .*50% 5\/10 about 20 s left/);
  t.ok(text().endsWith('train: 10 trees\n'));
});

t.test('a step of unknown length counts on a terminal', async (t) => {
  const { stream, text } = createOutput({ isTTY: true });
  const step = createTerminalProgress(stream).start('read');
  step.advance(7);
  step.finish();
  t.match(text(), /read 7/);
  t.match(text(), /read: done in \d+\.\d s\n$/);
});

t.test('silent progress says nothing', async (t) => {
  const step = SILENT_PROGRESS.start('x', 1);
  t.equal(step.advance(), undefined);
  t.equal(step.finish('y'), undefined);
});
