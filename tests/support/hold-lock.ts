import { once } from 'node:events';
import { createFolderStore } from '../../src/bundle/folder-store.js';
import { withLock } from '../../src/bundle/with-lock.js';

/** A process that holds the lock of a folder until its standard input ends. */
const store = createFolderStore(process.argv[2]!, () => new Date());
await withLock(store, { purpose: 'a holder' }, async () => {
  process.stdout.write('held\n');
  await once(process.stdin.resume(), 'end');
});
