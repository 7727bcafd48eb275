import { appendFile, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openTrialLog, type Trial } from '../../../../src/offline/training/tuning/trial-log.js';

const KEY = { dataset: 'abc', 'training config': 'def', code: '1.0' };
const TRIALS: readonly Trial[] = [0, 1, 2].map((trial) => ({
  trial,
  values: { 'ranker.l2': trial + 0.1 },
  ndcg: 0.3 + trial / 7,
  difference: trial / 7,
  standardError: 1 / 3,
  ...(trial === 0 && { figures: [0.1, 1 / 3, 2 / 3] }),
}));

/** A folder with the three trials in it, and their file. */
async function writeLog(t: Test): Promise<{ folder: string; file: string }> {
  const folder = join(t.testdir(), 'searches');
  const log = await openTrialLog(folder, KEY);
  t.same(log.trials, []);
  t.same(log.notices, []);
  for (const trial of TRIALS) await log.append(trial);
  const [name] = await readdir(folder);
  return { folder, file: join(folder, name!) };
}

t.test('trials are there when the log is opened again, bit for bit', async (t) => {
  const { folder, file } = await writeLog(t);
  const { trials, notices } = await openTrialLog(folder, KEY);
  t.same(trials, TRIALS);
  t.same(notices, [`goes on after 3 trials that ${file} holds`]);
});

t.test('a last line that was torn is dropped with a warning, and the next takes its place', async (t) => {
  const { folder, file } = await writeLog(t);
  const whole = await readFile(file, 'utf8');
  await writeFile(file, whole.slice(0, -20));
  const log = await openTrialLog(folder, KEY);
  t.same(log.trials, TRIALS.slice(0, 2));
  t.match(log.notices, [/is damaged.* one line at its end dropped/, /goes on after 2 trials/]);
  await log.append(TRIALS[2]!);
  t.equal(await readFile(file, 'utf8'), whole);
});

t.test('a whole line that lacks its end, so that the next would run into it, counts as torn', async (t) => {
  const { folder, file } = await writeLog(t);
  await writeFile(file, (await readFile(file, 'utf8')).slice(0, -1));
  t.same((await openTrialLog(folder, KEY)).trials, TRIALS.slice(0, 2));
});

t.test('what follows a damaged line is dropped, because trials come one after the other', async (t) => {
  const { folder, file } = await writeLog(t);
  const lines = (await readFile(file, 'utf8')).split('\n');
  lines[2] = lines[2]!.replace('"ndcg"', '"nonsense"');
  await writeFile(file, lines.join('\n'));
  const { trials, notices } = await openTrialLog(folder, KEY);
  t.same(trials, TRIALS.slice(0, 1));
  t.match(notices[0], /2 lines at its end dropped/);
});

t.test('trials that cannot be compared with the config are no trials', async (t) => {
  const { folder, file } = await writeLog(t);
  await writeFile(file, (await readFile(file, 'utf8')).replace(/,"figures":[^\]]*\]/, ''));
  t.same((await openTrialLog(folder, KEY)).trials, []);
});

t.test('a file without its key is begun again', async (t) => {
  const { folder, file } = await writeLog(t);
  await writeFile(file, '\u0000\u0000');
  const { trials, notices } = await openTrialLog(folder, KEY);
  t.same(trials, []);
  t.match(notices, [/is damaged/]);
  t.same((await openTrialLog(folder, KEY)).notices, [], 'and is sound then');
});

t.test('two searches at once write the same trials; each counts once', async (t) => {
  const { folder, file } = await writeLog(t);
  await appendFile(file, `${JSON.stringify(TRIALS[2])}\n`);
  const { trials, notices } = await openTrialLog(folder, KEY);
  t.same(trials, TRIALS);
  t.equal(notices.length, 1);
});

t.test('another key begins anew and says what is not as it was; the search before is kept', async (t) => {
  const { folder, file } = await writeLog(t);
  const other = await openTrialLog(folder, { ...KEY, dataset: 'xyz', code: '1.1' });
  t.same(other.trials, []);
  t.match(other.notices, ['begins anew, because another dataset and code was searched before']);
  t.same((await openTrialLog(folder, KEY)).trials, TRIALS);
  await utimes(file, 1, 1);
  const third = await openTrialLog(folder, { ...KEY, dataset: 'xyz', code: '1.2' });
  t.match(third.notices, ['begins anew, because another code was searched before']);
});

t.test('a file of something else in the folder is no search', async (t) => {
  const { folder, file } = await writeLog(t);
  await writeFile(file, 'hello\n');
  t.same((await openTrialLog(folder, { ...KEY, code: '2' })).notices, []);
});
