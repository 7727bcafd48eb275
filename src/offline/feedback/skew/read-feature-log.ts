import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ShortlistError } from '../../../domain/errors.js';
import type { FeatureRecord, LiveEntry, LiveTypedEntry } from '../../../pipeline/feature-record.js';
import { readSegment } from '../read-segment.js';

/** The contents of a feature log. */
export interface FeatureLogScan {
  /** Requests by the version of the bundle that answered, in the order of the log. */
  readonly requests: ReadonlyMap<string, number>;
  /** One sentence for each thing that was left out and is no damage. */
  readonly warnings: readonly string[];
}

const SEGMENT = /\.jsonl(\.open)?$/;

/**
 * Reads a log through once, before anything is computed.
 * @throws ShortlistError INVALID_DATASET when there is no log, nothing in it, or it is damaged, naming each line
 */
export async function scanFeatureLog(folder: string): Promise<FeatureLogScan> {
  const requests = new Map<string, number>();
  const warnings: string[] = [];
  const problems: string[] = [];
  for (const segment of await listSegments(folder)) {
    const lines = readSegment(segment, findRecord, ({ isTorn, lines: damaged }) => {
      if (isTorn) warnings.push(`${segment}: its last line was cut off and is left out`);
      problems.push(...damaged.map((line) => `${segment}: line ${line} is no line of a feature log`));
    });
    for await (const { bundle } of lines) requests.set(bundle, (requests.get(bundle) ?? 0) + 1);
  }
  if (problems.length > 0) {
    throw new ShortlistError(
      'INVALID_DATASET',
      `The feature log in ${folder} is damaged: move the segments away, or take the lines out.`,
      { problems },
    );
  }
  if (requests.size > 0) return { requests, warnings };
  throw new ShortlistError(
    'INVALID_DATASET',
    `The feature log in ${folder} has no request: was featureLog.enabled set, and featureLog.sampleShare above 0?`,
  );
}

/** The requests of one bundle, in order, one at a time in memory. */
export async function* readFeatureLog(folder: string, bundle: string): AsyncGenerator<FeatureRecord> {
  for (const segment of await listSegments(folder)) {
    for await (const record of readSegment(segment, findRecord, () => undefined)) {
      if (record.bundle === bundle) yield record;
    }
  }
}

/** Those that are written to as well: who checks looks at what there is. */
async function listSegments(folder: string): Promise<string[]> {
  try {
    if ((await stat(folder)).isFile()) return [folder];
    const names = await readdir(folder);
    return names
      .filter((name) => SEGMENT.test(name))
      .sort()
      .map((name) => join(folder, name));
  } catch (cause) {
    throw new ShortlistError(
      'INVALID_DATASET',
      `There is no feature log in ${folder}: is featureLog.enabled set where it was served?`,
      { cause },
    );
  }
}

function findRecord(line: string): FeatureRecord | undefined {
  try {
    const value = JSON.parse(line) as Partial<FeatureRecord> | null;
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const TEXTS = ['time', 'requestId', 'scenario', 'bundle', 'featuresHash', 'scenarioHash'] as const;
const OPTIONAL_TEXTS = ['user', 'session', 'item'] as const;
const LISTS = ['degraded', 'filters', 'context'] as const;
const OPTIONAL_IDS = ['sessionItems', 'candidates'] as const;

function isRecord(value: Partial<FeatureRecord> | null): value is FeatureRecord {
  return (
    value !== null &&
    TEXTS.every((key) => typeof value[key] === 'string') &&
    OPTIONAL_TEXTS.every((key) => value[key] === undefined || typeof value[key] === 'string') &&
    LISTS.every((key) => Array.isArray(value[key])) &&
    isListOf(value.exclude, isText) &&
    OPTIONAL_IDS.every((key) => value[key] === undefined || isListOf(value[key], isText)) &&
    (value.shown === undefined || isListOf(value.shown, Number.isInteger)) &&
    (value.live === undefined || isListOf(value.live, isLiveEntry)) &&
    (value.liveTypes === undefined || isListOf(value.liveTypes, isLiveTypedEntry)) &&
    (value.depth === undefined || Number.isFinite(value.depth)) &&
    (value.isForgotten === undefined || typeof value.isForgotten === 'boolean') &&
    Number.isFinite(value.now) &&
    Number.isInteger(value.limit) &&
    (value.online === undefined || Number.isFinite(value.online.readAt)) &&
    isListOf(value.items, isItem)
  );
}

/** What was read of a line: anything that JSON can say. */
function isListOf(value: unknown, isOne: (one: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isOne);
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function isItem(value: unknown): boolean {
  const { id, vector } = (value ?? {}) as Partial<FeatureRecord['items'][number]>;
  return isText(id) && isText(vector);
}

function isLiveEntry(value: unknown): boolean {
  const { item, time, value: worth, negative } = (value ?? {}) as Partial<LiveEntry>;
  return (
    isText(item) &&
    Number.isFinite(time) &&
    Number.isFinite(worth) &&
    (negative === undefined || typeof negative === 'boolean')
  );
}

function isLiveTypedEntry(value: unknown): boolean {
  const { item, time, type, counts } = (value ?? {}) as Partial<LiveTypedEntry>;
  return (
    isText(item) &&
    Number.isFinite(time) &&
    isText(type) &&
    (counts === undefined || typeof counts === 'boolean')
  );
}
