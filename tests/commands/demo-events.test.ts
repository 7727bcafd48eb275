import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { Manifest } from '../../src/bundle/manifest.js';
import { createFolderRegistry } from '../../src/bundle/folder-registry.js';
import { createCommandRunner } from '../support/command-runner.js';
import { startServingProcess } from '../support/serving-process.js';
import { createWorkplace } from './workplace.js';

/** Items of the demo that is made here: all that there are. */
const ITEMS = 100;

interface Answer {
  readonly strategy: string;
  readonly items: { itemId: string }[];
}

t.test('what is sent to the demo is in its next bundle, by the commands of docs/events.md', async (t) => {
  const { dir, configsDir } = await createWorkplace(t);
  const models = join(dir, 'models');
  const events = join(dir, 'events');
  const run = createCommandRunner({
    env: { SHORTLIST_REGISTRY: models, SHORTLIST_EVENTS_FOLDER: events },
    configsDir,
    now: () => new Date(),
  });
  const data = ['--data', join(dir, 'data')];
  const succeed = async (...argv: string[]): Promise<string> => {
    const { code, out, errors } = await run(...argv);
    t.equal(code, 0, `${argv[0]}: ${errors}`);
    return out;
  };
  const rebuild = async (): Promise<{ prepared: string; manifest: Manifest }> => {
    const prepared = await succeed('prepare', '--path', join(dir, 'raw'), ...data);
    await succeed('train', ...data);
    await succeed('publish', ...data);
    const text = await readFile(join(dir, 'data/trained/demo/manifest.json'), 'utf8');
    return { prepared, manifest: JSON.parse(text) as Manifest };
  };
  /** Serves candidate, over the events of a folder. */
  const serve = async (folder: string) => {
    const registry = createFolderRegistry(models);
    await registry.point('staging', (await registry.readChannel('candidate')).version);
    const { url, child, ended } = await startServingProcess(t, models, {
      changes: { events: { enabled: true } },
      env: { SHORTLIST_EVENTS_FOLDER: folder },
    });
    const base = await url;
    return {
      ask: async (user: string) =>
        (await (await fetch(`${base}/recommendations/${user}?limit=${ITEMS}`)).json()) as Answer,
      send: (list: object[]) =>
        fetch(`${base}/events`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ events: list }),
        }),
      stop: () => {
        child.kill('SIGTERM');
        return ended;
      },
    };
  };

  await succeed('demo-data', '--path', join(dir, 'raw'), '--users', '60', '--items', String(ITEMS));
  const before = await rebuild();
  t.match(before.prepared, /no rows are events: .*events\/parquet has none/);
  t.match(before.manifest.interactions, { negative: ['dislike'] });

  const first = await serve(events);
  const [disliked, ...liked] = (await first.ask('u7')).items.map(({ itemId }) => itemId);
  t.ok(liked.length > 3);
  const sent = await first.send([
    { userId: 'newcomer', itemId: liked[0], type: 'click' },
    { userId: 'newcomer', itemId: liked[1], type: 'click' },
    { userId: 'u7', itemId: liked[2], type: 'click' },
    { userId: 'u7', itemId: disliked, type: 'dislike' },
  ]);
  t.same([sent.status, await sent.json()], [202, { accepted: 4, duplicates: 0, refused: [] }]);
  const live = (await first.ask('u7')).items.map(({ itemId }) => itemId);
  t.notOk(live.includes(disliked!), 'at once');
  await first.stop();

  t.match(await succeed('events', 'compact'), /^4 events: .*parquet\/events-/);
  const after = await rebuild();
  t.match(after.prepared, /4 rows are events, from 1 files .*1 pairs of user and item are unwanted/s);
  t.equal(after.manifest.dataset.interactions, before.manifest.dataset.interactions + 3);
  t.equal(after.manifest.dataset.users, before.manifest.dataset.users + 1);

  // Without the events themselves: the bundle knows.
  const second = await serve(join(dir, 'no events'));
  const [u7, newcomer] = [await second.ask('u7'), await second.ask('newcomer')];
  t.equal(newcomer.strategy, 'personalised');
  const idsOf = ({ items }: Answer): string[] => items.map(({ itemId }) => itemId);
  t.notOk(idsOf(u7).includes(disliked!));
  t.notOk(idsOf(u7).includes(liked[2]!), 'what was clicked is seen');
  t.ok(idsOf(newcomer).includes(disliked!), 'another user gets it');
  t.notOk(idsOf(newcomer).includes(liked[0]!));
  await second.stop();
});
