import { setImmediate as turn } from 'node:timers/promises';
import { createSegmentWriter } from '../../src/events/segment-writer.js';

/** A process that appends lines to a log: until it is killed, or, with `once`, until the disk has failed and then some. */
const [folder, mode] = process.argv.slice(2) as [string, string?];
// A file that would be larger than the limit is an error of the write, and not the end.
process.on('SIGXFSZ', () => undefined);
const told = { written: 0, dropped: 0, failed: false };
const writer = createSegmentWriter({
  folder,
  maxSegmentBytes: 1e9,
  maxSegmentMs: 1e9,
  flushMs: 1,
  maxBufferBytes: 200_000,
  observer: {
    written: (lines) => {
      if (told.written === 0 && mode === undefined) process.stdout.write('written\n');
      told.written += lines;
    },
    dropped: (lines) => (told.dropped += lines),
    changed: (failure) => {
      if (failure !== undefined) process.stdout.write(`failed ${failure.message}\n`);
      told.failed = true;
    },
  },
});
const isEndless = (): boolean => mode === undefined;
for (let line = 0; isEndless() || !told.failed; line++) {
  writer.append(`${JSON.stringify({ line, padding: 'x'.repeat(20_000) })}\n`);
  await turn();
}
await writer.close();
process.stdout.write(`written ${told.written} dropped ${told.dropped}\n`);
