import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { testEventStore } from '../event-store-contract.js';

testEventStore(t, (t) => ({ store: 'local', folder: join(t.testdir(), 'data/events') }));

t.test('a process that keeps events prints no warning of the library', async (t) => {
  const dir = t.testdir({
    'program.mjs': `
      const [url, folder] = process.argv.slice(2);
      const { openLocalEventStore } = await import(url);
      const silent = () => undefined;
      const observer = { committed: silent, measured: silent, begun: silent, changed: silent };
      const store = await openLocalEventStore({ folder, syncMs: 0, observer });
      console.log(await store.keep([{ userId: 'u', itemId: 'i', type: 'click', time: 1 }]));
      await store.close();`,
  });
  const { href } = new URL('../../../src/events/local/local-event-store.js', import.meta.url);
  const argv = [join(dir, 'program.mjs'), href, join(dir, 'events')];
  const { stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8' });
  t.equal(stdout, "[ 'accepted' ]\n");
  t.equal(stderr, '');
});
