import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { atPath } from '../../../domain/system-failure.js';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { exists, replaceFile } from '../../../bundle/durable-files.js';

/** A line of the log of a search: the parameters that were tried, and their figures. */
export const Trial = Type.Object(
  {
    /** 0 is the config as it is. */
    trial: Type.Integer({ minimum: 0 }),
    /** What it changes of the config, by dotted name. */
    values: Type.Record(Type.String(), Type.Number()),
    /** nDCG@k, mean over the judged queries. */
    ndcg: Type.Number(),
    /** To that of the config, and its paired standard error. */
    difference: Type.Number(),
    standardError: Type.Number(),
    /** nDCG@k of each query, of trial 0 only: later trials are compared with it. */
    figures: Type.Optional(Type.Array(Type.Number())),
  },
  { additionalProperties: false },
);

/** A line of the log of a search, typed as its schema says. */
export type Trial = Static<typeof Trial>;

/**
 * Everything that the figures of a search depend on, each part in words or as a hash: another part is another
 * search.
 */
export type SearchKey = Readonly<Record<string, string>>;

/** The trials of a search on disk. */
export interface TrialLog {
  /** Those that were made before, 0 first. */
  readonly trials: readonly Trial[];
  /** What a person should know of how the file was found. */
  readonly notices: readonly string[];
  /** Adds the next trial; resolves when the disk has it. */
  append(trial: Trial): Promise<void>;
}

/**
 * Opens the trials of a search: a file of JSON lines for each key, whose first line is the key. What follows a damaged line, as
 * a process that was killed leaves it, is dropped; a search of another key in the folder stays as it is.
 */
export async function openTrialLog(folder: string, key: SearchKey): Promise<TrialLog> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, `${hashKey(key)}.jsonl`);
  const found = (await exists(file)) ? parseTrials(await readFile(file, 'utf8'), key) : undefined;
  const notices = found === undefined ? await explainNewSearch(folder, key) : describeFound(file, found);
  const trials = found?.trials ?? [];
  if (found === undefined || found.dropped > 0) {
    await replaceFile(file, [{ key }, ...trials].map(toLine).join(''));
  }
  return { trials, notices, append: (trial) => appendDurably(file, toLine(trial)) };
}

interface FoundTrials {
  readonly trials: readonly Trial[];
  /** Lines that were not used. */
  readonly dropped: number;
}

function parseTrials(text: string, key: SearchKey): FoundTrials {
  const lines = text.split('\n');
  // Every whole line ends with a line feed, so nothing is left after the last.
  const last = lines.pop()!;
  const [head, ...rest] = lines.map(parseLine);
  const trials: Trial[] = [];
  const isSound = JSON.stringify(head) === JSON.stringify({ key });
  const firstBad = isSound ? rest.findIndex((line) => !takeTrial(line, trials)) : 0;
  const unused = firstBad < 0 ? 0 : rest.length - firstBad;
  return { trials, dropped: unused + (last === '' ? 0 : 1) + (isSound ? 0 : 1) };
}

/** Adds the next trial. Two searches at once write the same trials, so one that is there already is right too. */
function takeTrial(line: unknown, trials: Trial[]): boolean {
  if (!Value.Check(Trial, line) || line.trial > trials.length) return false;
  if (line.trial === 0 && line.figures === undefined) return false;
  if (line.trial === trials.length) trials.push(line);
  return true;
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function describeFound(file: string, { trials, dropped }: FoundTrials): string[] {
  const lines = dropped === 1 ? 'one line' : `${dropped} lines`;
  return [
    ...(dropped === 0
      ? []
      : [`${file} is damaged, as by a search that was killed: ${lines} at its end dropped`]),
    ...(trials.length === 0 ? [] : [`goes on after ${trials.length} trials that ${file} holds`]),
  ];
}

/** What is not as it was in the latest search of the folder. */
async function explainNewSearch(folder: string, key: SearchKey): Promise<string[]> {
  const latest = await findLatestKey(folder);
  if (latest === undefined) return [];
  const changed = Object.keys(key).filter((part) => latest[part] !== key[part]);
  return [`begins anew, because another ${changed.join(' and ')} was searched before`];
}

async function findLatestKey(folder: string): Promise<SearchKey | undefined> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.jsonl'));
  const dated = await Promise.all(
    files.map(async (name) => ({ name, time: (await stat(join(folder, name))).mtimeMs })),
  );
  const [latest] = dated.sort((a, b) => b.time - a.time);
  if (latest === undefined) return undefined;
  const [head = ''] = (await readFile(join(folder, latest.name), 'utf8')).split('\n', 1);
  return (parseLine(head) as { key?: SearchKey } | undefined)?.key;
}

function hashKey(key: SearchKey): string {
  return createHash('sha256').update(JSON.stringify(key)).digest('hex').slice(0, 16);
}

function toLine(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

async function appendDurably(path: string, line: string): Promise<void> {
  await atPath(path, async () => {
    const file = await open(path, 'a');
    try {
      await file.appendFile(line);
      await file.sync();
    } finally {
      await file.close();
    }
  });
}
