import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { splitChronologically, splitRolling } from '../../../../src/offline/protocol/splits.js';
import type { PreparedDataset } from '../../../../src/offline/data/prepared-dataset.js';
import type { ProgressReporter } from '../../../../src/offline/progress/progress.js';
import { countErrorsNeeded } from '../../../../src/offline/training/tuning/choose-trial.js';
import { applyValues } from '../../../../src/offline/training/tuning/tuned-parameters.js';
import { createSyntheticDataset } from '../../../support/synthetic-dataset.js';
import { createSearchDataset, JUDGES, SEARCH_CONFIG as config, searchSmall } from './small-search.js';

/** The lines of the only search in a folder. */
async function readTrials(folder: string): Promise<string[]> {
  const files = await readdir(folder);
  if (files.length !== 1) throw new Error(`${folder} has ${files.length} files`);
  return (await readFile(join(folder, files[0]!), 'utf8')).split('\n').slice(0, -1);
}

/** Keeps what is said. */
function createNotes(): ProgressReporter & { readonly lines: string[] } {
  const lines: string[] = [];
  return {
    lines,
    start: (label) => {
      lines.push(label);
      return { advance: () => undefined, finish: (summary) => lines.push(`${label}: ${summary}`) };
    },
  };
}

t.test('a search of six trials', async (t) => {
  const folder = t.testdir();
  const whole = join(folder, 'whole');
  const notes = createNotes();
  const found = await searchSmall(whole, { progress: notes });
  const lines = await readTrials(whole);

  await t.test('judges the config first, then what it drew', async (t) => {
    t.equal(lines.length, 7, 'the key and six trials');
    t.match(JSON.parse(lines[1]!), { trial: 0, values: {}, difference: 0 });
    t.match(JSON.parse(lines[6]!), {
      trial: 5,
      values: { 'ranker.l2': Number, 'als.regularisation': Number },
    });
    const { search } = found;
    t.match(search, {
      protocol: 'chronological',
      k: 10,
      trials: 6,
      judged: { users: JUDGES, queries: JUDGES },
    });
    t.ok(search.config.ndcg > 0.05 && search.config.ndcg < 1);
    t.ok(search.best.ndcg >= search.config.ndcg);
    t.same(found.config, applyValues(config, search.chosen.values));
    const { trial, difference, standardError } = search.chosen;
    t.ok(trial === 0 || difference > countErrorsNeeded(6) * standardError);
  });

  await t.test('says what it is at, how far it is, and what came of each', async (t) => {
    const said = notes.lines.join('\n');
    t.match(
      said,
      /candidates of trial 0 \(the config as it is, 6 to go\): \d+ queries to train on, 39 to judge by/,
    );
    t.match(
      said,
      /trial 3 \(best nDCG@10 0\.\d{4}, 3 to go\): nDCG@10 0\.\d{4}, [+-]0\.\d{4} ± 0\.\d{4}: ranker\./,
    );
    t.equal(
      notes.lines.filter((line) => /^candidates of .*: /.test(line)).length,
      2,
      'four trials share theirs',
    );
  });

  await t.test('gives the same again, bit for bit', async (t) => {
    const again = join(folder, 'again');
    t.same(await searchSmall(again), found);
    t.same(await readTrials(again), lines);
  });

  await t.test('goes on after those that are done, and ends the same', async (t) => {
    const parts = join(folder, 'parts');
    await searchSmall(parts, { limits: { maxTrials: 2 } });
    const notes = createNotes();
    t.same(await searchSmall(parts, { progress: notes }), found);
    t.same(await readTrials(parts), lines);
    t.match(notes.lines[1], /search: goes on after 2 trials/);
    t.notOk(notes.lines.some((line) => line.startsWith('trial 1 ')));
    t.same(
      (await searchSmall(parts, { limits: { maxTrials: 2 } })).search.trials,
      2,
      'as many as are asked for, however many there are',
    );
  });

  await t.test('killed in the middle, it loses the running trial at most', async (t) => {
    const killed = join(folder, 'killed');
    const script = fileURLToPath(new URL('search-process.js', import.meta.url));
    const child = spawn(process.execPath, [...process.execArgv, script, killed], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    for await (const line of createInterface(child.stdout)) {
      if (line.startsWith('trial 3 ')) child.kill('SIGKILL');
    }
    const [, signal] =
      child.exitCode === null && child.signalCode === null
        ? await once(child, 'exit')
        : [0, child.signalCode];
    t.equal(signal, 'SIGKILL');
    const left = await readTrials(killed);
    t.same(left, lines.slice(0, left.length));
    t.ok(left.length >= 4 && left.length < lines.length, `${left.length} lines`);
    const [file] = await readdir(killed);
    await appendFile(join(killed, file!), '{"trial":3,"values":{"ran');
    const notes = createNotes();
    t.same(await searchSmall(killed, { progress: notes }), found);
    t.same(await readTrials(killed), lines);
    t.match(notes.lines[1], /is damaged, as by a search that was killed: one line at its end dropped/);
  });

  await t.test('a budget decides how many trials are made, and nothing else', async (t) => {
    let time = 0;
    const now = (): number => (time += 1000);
    const budgeted = await searchSmall(join(folder, 'budgeted'), { limits: { budgetMs: 20_000 }, now });
    const { trials } = budgeted.search;
    t.ok(trials > 1 && trials < 6, `${trials} trials`);
    t.same(await readTrials(join(folder, 'budgeted')), lines.slice(0, trials + 1));
    t.same(await searchSmall(join(folder, 'counted'), { limits: { maxTrials: trials } }), budgeted);
  });

  await t.test('a budget shorter than a trial leaves the config as it is', async (t) => {
    let time = 0;
    const notes = createNotes();
    const tuning = await searchSmall(join(folder, 'short'), {
      limits: { budgetMs: 1 },
      now: () => (time += 1000),
      progress: notes,
    });
    t.match(tuning, { config, search: { trials: 1, chosen: { trial: 0 } } });
    t.match(notes.lines[0], /trial 0 \(the config as it is, 0 s left\)/);
  });

  await t.test('another config begins anew and says so', async (t) => {
    const notes = createNotes();
    const seeded = await searchSmall(whole, {
      config: { ...config, seed: 7 },
      limits: { maxTrials: 2 },
      progress: notes,
    });
    t.match(notes.lines[1], 'search: begins anew, because another training config was searched before');
    t.not(seeded.search.config.ndcg, found.search.config.ndcg);
  });
});

t.test('a trial is chosen for what it is worth: never a worse one', async (t) => {
  const folder = t.testdir();
  await searchSmall(folder, { limits: { maxTrials: 1 } });
  const [file] = await readdir(folder);
  const base = (JSON.parse((await readTrials(folder))[1]!) as { ndcg: number }).ndcg;
  const add = (trial: number, difference: number): Promise<void> =>
    appendFile(
      join(folder, file!),
      `${JSON.stringify({ trial, values: { 'ranker.l2': trial }, ndcg: base + difference, difference, standardError: 0.01 })}\n`,
    );
  await add(1, -0.05);
  await add(2, 0.009);
  const chooseOf = async (maxTrials: number): Promise<number> =>
    (await searchSmall(folder, { limits: { maxTrials } })).search.chosen.trial;
  t.equal(await chooseOf(2), 0, 'worse');
  t.equal(await chooseOf(3), 0, 'not clearly better');
  await add(3, 0.05);
  t.equal(await chooseOf(4), 3);
  t.equal((await searchSmall(folder, { limits: { maxTrials: 4 } })).config.ranker.l2, 3);
});

/** Other items in all rows that `isTested`. */
function changeRows(dataset: PreparedDataset, isTested: (row: number) => boolean): PreparedDataset {
  const { interactions } = dataset;
  const item = interactions.item.map((index, row) => (isTested(row) ? (index + 7) % 39 : index));
  return { ...dataset, interactions: { ...interactions, item } };
}

t.test('a search sees nothing of what its protocol tests on', async (t) => {
  const folder = t.testdir();
  const dataset = createSearchDataset();
  const { timestamp, user } = dataset.interactions;
  const limits = { maxTrials: 2 };

  const [firstWeek] = splitRolling(dataset.interactions, { weeks: config.evaluation.testWeeks });
  const rolling = { protocol: 'rolling', limits } as const;
  const before = await searchSmall(join(folder, 'rolling'), { ...rolling, dataset });
  const future = changeRows(dataset, (row) => timestamp[row]! >= firstWeek!.knownUntil);
  t.same(await searchSmall(join(folder, 'future'), { ...rolling, dataset: future }), before);

  // Rows of a user stand in order of time.
  const { train } = splitChronologically(dataset.interactions);
  const trained = new Map<number, number>();
  for (const each of train.user) trained.set(each, (trained.get(each) ?? 0) + 1);
  const seen = new Map<number, number>();
  const isTested = [...user].map((each) => {
    seen.set(each, (seen.get(each) ?? 0) + 1);
    return seen.get(each)! > trained.get(each)!;
  });
  const chronological = await searchSmall(join(folder, 'chronological'), { limits, dataset });
  const otherwise = changeRows(dataset, (row) => isTested[row]!);
  t.same(await searchSmall(join(folder, 'otherwise'), { limits, dataset: otherwise }), chronological);
  const past = changeRows(dataset, (row) => !isTested[row]!);
  t.notSame(await searchSmall(join(folder, 'past'), { limits, dataset: past }), chronological);
});

t.test('users that are too few to judge by are no search', async (t) => {
  const dataset = createSyntheticDataset({ users: 8 });
  await t.rejects(searchSmall(t.testdir(), { dataset }), {
    code: 'TRAINING_FAILED',
    message: /Too few users to judge trials by: 7, at least 8 .*without --budget/,
  });
});

t.test('of many rows a draw of the users judges', async (t) => {
  const few = { ...config, ranker: { ...config.ranker, maxRows: 300 * 30 } };
  const { search } = await searchSmall(t.testdir(), { config: few, limits: { maxTrials: 1 } });
  t.same(search.judged, { queries: 30, users: 30 });
});
