import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ShortlistError } from '../../src/domain/errors.js';
import { writeBundleFiles } from '../../src/bundle/write-bundle-files.js';
import { createSmallBundle } from '../bundle/small-bundle.js';
import { openRacingRegistry, type RacingRegistry } from '../support/racing-registry.js';
import { CANNOT_SUSPEND, runUntil } from '../support/stopped-process.js';

// Processes that change one registry at the same time: one of them is suspended, or killed, before each of the changes that it makes to the
// disk, and others act meanwhile.

const PROGRAM = 'support/change-registry.js';

interface Scene extends RacingRegistry {
  readonly root: string;
  /** A trained bundle that is older than what is published. */
  readonly trained: string;
  readonly old: string;
}

const template = t.testdir({});
const trainedIn = (dir: string, day: number): string => join(dir, `trained-${day}`);
const { registry: published } = openRacingRegistry(join(template, 'models'), 'locked');
const days = [1, 2, 3].map(async (day) =>
  writeBundleFiles(trainedIn(template, day), createSmallBundle({ createdAt: `2026-01-0${day}T00:00:00Z` })),
);
const [oldest] = await Promise.all(days);
for (const day of [2, 3]) {
  const version = await published.publish(trainedIn(template, day), { channel: 'candidate' });
  await published.point('staging', version);
}

/** Two published versions; `candidate` and `staging` point at the later one, and have pointed at the other one. */
async function openScene(t: Test, name: string, kind: 'locked' | 'unlocked'): Promise<Scene> {
  const dir = join(t.testdirName, name);
  await cp(template, dir, { recursive: true });
  const root = join(dir, 'models');
  const trained = trainedIn(dir, 1);
  return { ...openRacingRegistry(root, kind), root, trained, old: oldest!.version };
}

/** What channels point at, and whether it is there. */
async function listDangling({ registry }: Scene): Promise<string[]> {
  const published = await registry.list();
  return [...(await registry.listChannels())]
    .filter(([, { version }]) => !published.includes(version))
    .map(([name]) => name);
}

async function unlessLocked(act: Promise<unknown>): Promise<'done' | 'locked'> {
  try {
    await act;
    return 'done';
  } catch (error) {
    if (error instanceof ShortlistError && error.code === 'LOCKED') return 'locked';
    throw error;
  }
}

interface Outcome {
  readonly meanwhile: 'done' | 'locked';
  readonly end: number | NodeJS.Signals;
  readonly dangling: readonly string[];
  /** Whether the last line of the audit log tells where its channel is. */
  readonly isTold: boolean;
  readonly output: string;
}

interface Meanwhile {
  readonly meanwhile: (scene: Scene) => Promise<unknown>;
  /** Whether nothing more has to be seen. */
  readonly isEnough?: (outcome: Outcome) => boolean;
}

/** Lets a process do something, suspended before each of its changes in turn, and others something else meanwhile. */
async function suspendEverywhere(
  t: Test,
  kind: 'locked' | 'unlocked',
  act: (scene: Scene) => readonly string[],
  { meanwhile, isEnough = () => false }: Meanwhile,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (let at = 1; ; at++) {
    const scene = await openScene(t, `${kind}-${at}`, kind);
    const started = await runUntil(t, { at, signal: 'SIGSTOP' }, [PROGRAM, scene.root, kind, ...act(scene)]);
    if (started.state === 'ended') return outcomes;
    const done = await unlessLocked(meanwhile(scene));
    const end = await started.end();
    const moves = (await scene.registry.readAudit()).filter(({ action }) => action !== 'remove');
    const { channel, version } = moves.at(-1)!;
    outcomes.push({
      meanwhile: done,
      end,
      dangling: await listDangling(scene),
      isTold: (await scene.registry.readChannel(channel!)).version === version,
      output: started.output(),
    });
    if (isEnough(outcomes.at(-1)!)) return outcomes;
  }
}

t.test('a publish that is suspended anywhere, and gc beside it', { skip: CANNOT_SUSPEND }, async (t) => {
  t.testdir({});
  const publish = ({ trained }: Scene) => ['publish', trained];
  const collecting = { meanwhile: ({ collect }: Scene) => collect() };
  const outcomes = await suspendEverywhere(t, 'locked', publish, collecting);
  for (const [index, { end, dangling, output }] of outcomes.entries()) {
    t.equal(end, 0, `suspended before change ${index + 1}, it goes on and publishes: ${output}`);
    t.same(dangling, [], 'and what channels point at is there');
  }
  const done = outcomes.map(({ meanwhile }) => meanwhile);
  t.ok(
    done.includes('done') && done.includes('locked'),
    `gc has had its turn, and waited: ${done.join(' ')}`,
  );

  await t.test('without the lock a channel points at what was removed', async (t) => {
    t.testdir({});
    const isEnough = ({ end, dangling }: Outcome): boolean => end !== 0 || dangling.length > 0;
    const blind = await suspendEverywhere(t, 'unlocked', publish, { ...collecting, isEnough });
    t.ok(blind.some(isEnough), 'the control');
  });
});

t.test(
  'a rollback that is suspended anywhere, and a promotion beside it',
  { skip: CANNOT_SUSPEND },
  async (t) => {
    t.testdir({});
    const act = (): string[] => ['rollback', 'candidate'];
    const publishing = {
      meanwhile: ({ registry, trained }: Scene) => registry.publish(trained, { channel: 'candidate' }),
    };
    const outcomes = await suspendEverywhere(t, 'locked', act, publishing);
    for (const { end, isTold, output } of outcomes) {
      t.equal(end, 0, output);
      t.ok(isTold, 'the last entry of the audit log is where the channel points');
    }
    await t.test('without the lock the later move is lost', async (t) => {
      t.testdir({});
      const isEnough = ({ isTold }: Outcome): boolean => !isTold;
      const blind = await suspendEverywhere(t, 'unlocked', act, { ...publishing, isEnough });
      t.ok(blind.some(isEnough), 'the control');
    });
  },
);

t.test(
  'a publish that is killed anywhere leaves a registry that everybody can use',
  { skip: CANNOT_SUSPEND },
  async (t) => {
    t.testdir({});
    for (let at = 1; ; at++) {
      const scene = await openScene(t, `killed-${at}`, 'locked');
      const killed = await runUntil(t, { at, signal: 'SIGKILL' }, [
        PROGRAM,
        scene.root,
        'locked',
        'publish',
        scene.trained,
      ]);
      if ((await killed.end()) === 0) break;
      t.same(await listDangling(scene), [], `killed before change ${at}`);
      await scene.collect();
      await scene.registry.publish(scene.trained, { channel: 'candidate' });
      t.equal((await scene.registry.readChannel('candidate')).version, scene.old);
      t.equal((await scene.registry.readAudit()).at(-1)!.version, scene.old, 'no line spoils the next one');
    }
  },
);

t.test('two processes that publish one bundle both succeed', { skip: CANNOT_SUSPEND }, async (t) => {
  t.testdir({});
  const publish = ({ trained }: Scene) => ['publish', trained];
  const again = {
    meanwhile: ({ registry, trained }: Scene) => registry.publish(trained, { channel: 'candidate' }),
  };
  for (const { end, dangling, output } of await suspendEverywhere(t, 'locked', publish, again)) {
    t.equal(end, 0, output);
    t.same(dangling, []);
  }
});
