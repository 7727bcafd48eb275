import { open } from 'node:fs/promises';
import { isMainThread } from 'node:worker_threads';

// Preloaded into a server (`node --import`), it leaks what a soak must find: 4 MB, four descriptors and four handles per second.
const kept: unknown[] = [];
if (isMainThread) {
  setInterval(async () => {
    kept.push(
      Buffer.alloc(1e6, 1),
      await open('/dev/null'),
      setInterval(() => undefined, 60_000),
    );
  }, 250);
}
