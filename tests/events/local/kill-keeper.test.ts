import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { createSeededRandom } from '../../../src/domain/seeded-random.js';
import { listEvents, type LocalPlace } from '../store-place.js';

/** Every day a part; `make test-failures` the 300 of the figure. */
const KILLS = process.env['LONG_TESTS'] === '1' ? 300 : 30;
const LONGEST_LIFE_MS = 120;

/** What processes said is kept, as numbers of events, before each was killed. */
interface Killed {
  readonly kept: Set<number>;
  readonly kills: number;
}

/** Kills processes that keep events, each at a random moment after its first word; the next one begins with what may be lost. */
async function killKeepers(
  place: LocalPlace,
  options: {
    kills: number;
    /** Number of the first event: several at once have their own. */
    from?: number;
    mode?: 'early';
    isOver?: (killed: Killed) => boolean;
  },
): Promise<Killed> {
  const { kills, from: start = 0, mode, isOver = () => false } = options;
  const random = createSeededRandom(`kill keepers from ${start}`);
  const kept = new Set<number>();
  let first = start;
  let done = 0;
  while (done < kills && !isOver({ kept, kills: done })) {
    const program = join(import.meta.dirname, '../keep-for-ever.js');
    const argv = [program, JSON.stringify(place), String(first), ...(mode === undefined ? [] : [mode])];
    const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(child, 'close');
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    await once(child.stdout, 'data');
    await wait(random.uniform() * LONGEST_LIFE_MS);
    child.kill('SIGKILL');
    await ended;
    for (const [, from, to] of said.matchAll(/^(\d+) (\d+)$/gm))
      for (let n = Number(from); n < Number(to); n++) kept.add(n);
    while (kept.has(first)) first++;
    done++;
  }
  return { kept, kills: done };
}

function countStored(place: LocalPlace): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { eventId } of listEvents(place)) {
    const n = Number(eventId!.slice(1));
    counts.set(n, (counts.get(n) ?? 0) + 1);
  }
  return counts;
}

const placeOf = (t: Test): LocalPlace => ({ store: 'local', folder: join(t.testdir(), 'events') });

t.test(
  `of ${KILLS} processes that are killed, no event that was acknowledged is lost or doubled`,
  async (t) => {
    const place = placeOf(t);
    const { kept } = await killKeepers(place, { kills: KILLS });
    const stored = countStored(place);
    t.ok(kept.size > 100 * KILLS, `${kept.size} events were acknowledged`);
    t.same(
      [...kept].filter((n) => stored.get(n) !== 1),
      [],
    );
    t.same(
      [...stored].filter(([, times]) => times !== 1),
      [],
      'nor one that was not',
    );
  },
);

t.test('three processes of one file go on when one of them is killed', async (t) => {
  const place = placeOf(t);
  const killed = await Promise.all(
    [0, 1e6, 2e6].map((from) => killKeepers(place, { from, kills: Math.ceil(KILLS / 6) })),
  );
  const stored = countStored(place);
  for (const { kept } of killed) {
    t.ok(kept.size > 100, `${kept.size} events were acknowledged`);
    t.same(
      [...kept].filter((n) => stored.get(n) !== 1),
      [],
    );
  }
});

t.test('the same test finds what is acknowledged before it is kept', async (t) => {
  const place = placeOf(t);
  const isLost = (n: number): boolean => !stored.has(n);
  let stored = new Map<number, number>();
  const { kept, kills } = await killKeepers(place, {
    kills: KILLS,
    mode: 'early',
    isOver: (killed) => {
      stored = killed.kills === 0 ? stored : countStored(place);
      return [...killed.kept].some(isLost);
    },
  });
  t.ok([...kept].some(isLost), `seen after ${kills} kills`);
});
