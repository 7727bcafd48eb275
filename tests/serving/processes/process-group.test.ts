import { type ChildProcess, fork } from 'node:child_process';
import t, { type Test } from 'tap';
import type { ShortlistError } from '../../../src/domain/errors.js';
import {
  createProcessGroup,
  type ProcessGroupOptions,
} from '../../../src/serving/processes/process-group.js';
import type { LostProcess } from '../../../src/serving/processes/process-restarts.js';
import type { ServerProcess } from '../../../src/serving/processes/server-process.js';

/** A group of real processes, and what it tells of them. */
function startGroup(t: Test, behaviours: readonly string[], changes: Partial<ProcessGroupOptions> = {}) {
  const started: ChildProcess[] = [];
  const lost: LostProcess[] = [];
  let onStarted = (): void => undefined;
  let giveUp: (error: ShortlistError) => void;
  const givenUp = new Promise<ShortlistError>((resolve) => (giveUp = resolve));
  const group = createProcessGroup({
    processes: behaviours.length,
    start: (place) => {
      const child = fork('tests/support/group-member.mjs', [behaviours[place - 1]!], { execArgv: [] });
      started.push(child);
      onStarted();
      return child as unknown as ServerProcess;
    },
    random: () => 0.5,
    restartDelayMs: 10,
    maxRestartDelayMs: 30,
    maxDeaths: 3,
    deathWindowMs: 60_000,
    silenceMs: 60_000,
    answerMs: 60_000,
    quarantineMs: 60_000,
    onLost: (end) => lost.push(end),
    onGivenUp: (error) => giveUp(error),
    ...changes,
  });
  group.serving.catch(() => undefined);
  t.teardown(() => started.forEach((child) => child.kill('SIGKILL')));
  /** Resolves when so many processes have been started in all. */
  const startedAre = (count: number): Promise<void> =>
    new Promise((resolve) => {
      onStarted = () => started.length >= count && resolve();
      onStarted();
    });
  return { group, started, lost, givenUp, startedAre };
}

t.test('a group serves when all of its processes do, and ends when all have ended', async (t) => {
  const { group, started } = startGroup(t, ['', '']);
  t.equal(group.describe(), undefined);
  t.equal(await group.serving, 'http://here');
  t.match(group.describe(), { version: '1' });
  t.same(group.views(), {});
  t.same(
    await group.metrics(),
    started.map(({ pid }) => [pid]),
  );
  const search = { search: 'alien', limit: 3 };
  t.same(await group.findItems(search), { about: search }, 'one of them is asked');
  const asked = { about: ['7'] } as never;
  t.same(await group.inspect(asked), { about: asked });
  const [one, next, other] = await Promise.all([group.reload(), group.reload(), group.reload()]);
  t.match(one, { version: '2' });
  t.equal(next, other, 'asked for while one runs it happens once more');
  await group.stop();
  t.same(
    started.map(({ exitCode }) => exitCode),
    [0, 0],
  );
});

t.test('a process that ends by itself is replaced after a random time that doubles', async (t) => {
  const { group, started, lost, startedAre } = startGroup(t, ['', '']);
  await group.serving;
  for (const count of [3, 4, 5]) {
    started.at(-1)!.kill('SIGKILL');
    await startedAre(count);
  }
  t.same(
    lost.map(({ how, restartMs }) => [how, restartMs]),
    [
      ['SIGKILL', 5],
      ['SIGKILL', 10],
      ['SIGKILL', 15],
    ],
  );
  t.match(group.describe(), { version: '1' }, 'the other one serves');
  await group.stop();
});

t.test('when too many end, no more are started', async (t) => {
  const { group, started, givenUp, startedAre } = startGroup(t, [''], { maxDeaths: 2 });
  await group.serving;
  for (const count of [2, 3]) {
    started.at(-1)!.kill('SIGKILL');
    await startedAre(count);
  }
  started.at(-1)!.kill('SIGKILL');
  t.match(await givenUp, {
    code: 'PROCESS_FAILED',
    message: '3 server processes ended within 60000 ms, the last one with SIGKILL; no more are started.',
  });
  await t.rejects(group.reload(), { code: 'NOT_READY' });
  await group.stop();
  t.equal(started.length, 3);
});

t.test('a process that does not come up the first time fails the group', async (t) => {
  const { group } = startGroup(t, ['', 'fails']);
  await t.rejects(group.serving, {
    code: 'PROCESS_FAILED',
    message: 'Server process 2 has ended (exit code 3).',
  });
  await t.rejects(group.stop(), { message: /process 2: exit code 3/ });
});

t.test('a reload ends with the first process that refuses the bundle, or ends', async (t) => {
  const { group } = startGroup(t, ['refuses', '']);
  await group.serving;
  await t.rejects(group.reload(), { code: 'INVALID_BUNDLE' });
  await group.stop();
  const dying = startGroup(t, ['', 'dies when asked']);
  await dying.group.serving;
  await t.rejects(dying.group.reload(), { code: 'PROCESS_FAILED', message: /2 has ended \(SIGKILL\)/ });
  await dying.group.stop();
  const counting = startGroup(t, ['', 'dies when asked']);
  await counting.group.serving;
  t.equal((await counting.group.metrics()).length, 1, 'metrics are those of the others');
  await counting.group.stop();
});

t.test('processes that do not end with 0 are told of', async (t) => {
  const { group } = startGroup(t, ['', 'ends unclean']);
  await group.serving;
  await t.rejects(group.stop(), { code: 'PROCESS_FAILED', message: /process 2: exit code 1/ });
});

t.test('a process that falls silent is left out, killed and replaced', async (t) => {
  const { group, lost, startedAre } = startGroup(t, ['', 'stops when asked'], {
    silenceMs: 2000,
    answerMs: 200,
  });
  await group.serving;
  t.equal((await group.metrics()).length, 1, 'metrics are those of the others');
  t.match(await group.reload(), { version: '2' }, 'and so is a reload');
  await startedAre(3);
  t.match(lost, [{ place: 2, how: 'SIGKILL', wasSilent: true }]);
  group.kill();
});

t.test('negative control: nobody looks, and what a silent process is asked waits for it', async (t) => {
  const { group, started } = startGroup(t, ['', 'stops when asked']);
  await group.serving;
  let isOver = false;
  const metrics = group.metrics().then(() => (isOver = true));
  await new Promise((resolve) => setTimeout(resolve, 500));
  t.notOk(isOver);
  started[1]!.kill('SIGKILL');
  await metrics;
  group.kill();
});
