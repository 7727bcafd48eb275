import { createInterface } from 'node:readline';
import { createSegmentWriter } from '../../src/events/segment-writer.js';
import type { Impression } from '../../src/events/impression.js';

/** A process that writes each line of its standard input to a log, as an impression of that request, and says when it counts as written. */
const writer = createSegmentWriter({
  folder: process.argv[2]!,
  maxSegmentBytes: 1e9,
  maxSegmentMs: 1e9,
  flushMs: 1,
  maxBufferBytes: 1e6,
  observer: {
    written: (lines) => void process.stdout.write(`${lines}\n`),
    dropped: () => process.exit(1),
    changed: () => undefined,
  },
});
for await (const requestId of createInterface({ input: process.stdin })) {
  const impression: Impression = {
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
  };
  writer.append(`${JSON.stringify(impression)}\n`);
}
await writer.close();
