import { open } from 'node:fs/promises';
import { Command } from 'commander';
import { loadSettings } from '../config/load-settings.js';
import { ShortlistError } from '../domain/errors.js';
import { withForgottenUsers } from '../events/forgotten/open-forgotten-users.js';
import { parsePushedLines } from '../features/parse-pushed-rows.js';
import { type PushCounts, pushRows, type PushedRow } from '../features/push-rows.js';
import { isPassingRedisFault, requireRedis } from '../features/redis-connection.js';
import type { CommandContext } from './command-context.js';
import { openRegistry } from './open-registry.js';
import { openOnlineViews } from './open-online-views.js';
import { openDependencies } from './open-dependencies.js';
import { toolConnectionOf } from './redis-options.js';

interface PushArguments {
  readonly view: string;
  readonly row?: string;
  readonly file?: string;
}

/** The command `shortlist push`. */
export function createPushCommand(context: CommandContext): Command {
  return new Command('push')
    .description('Upsert rows in Redis (REDIS_URL); an older event time never overwrites a newer one.')
    .option('--view <name>', 'a feature view that is served online', 'users')
    .option(
      '--row <json>',
      'one row: {"id": "u1", "eventTime": "2026-01-02T03:04:05Z", "values": {"age": 31}}',
    )
    .option('--file <path>', 'a file with one such row per line')
    .action(async (given: PushArguments) => {
      const readLines = chooseLines(given);
      const settings = loadSettings(context);
      const { bundle, features, redis } = settings;
      const registry = await openRegistry(bundle, context);
      const online = await openOnlineViews(registry, bundle.channel, given.view);
      const [view] = online.views;
      const now = context.now().getTime() / 1000;
      const options = { view: view!, now };
      // Twice, so that a row that makes no sense is told before any is sent, and a file of any length fits the memory.
      const total = await checkRows(readBatches(readLines(), options));
      const access = openDependencies(context);
      const isPassing = isPassingRedisFault;
      const client = await access.retry('redis', () => requireRedis(toolConnectionOf(redis)), { isPassing });
      const step = (await context.openProgress()).start(`push ${view!.name}`, total);
      try {
        const space = { prefix: redis.keyPrefix, dataset: online.files.manifest.dataset.name };
        const pushing = { view: view!, space, expirySeconds: features.expirySeconds };
        // Rows that are there already are written again: the same rows, at the same event times.
        const { written, older } = await withForgottenUsers(settings, (forgotten) =>
          pushBatches(readBatches(readLines(), options), async (rows) => {
            const push = (): Promise<PushCounts> => pushRows(rows, client, { ...pushing, forgotten });
            const counts = await access.retry('redis', push, { isPassing });
            step.advance(rows.length);
            return counts;
          }),
        );
        step.finish(`${written} rows`);
        context.print(`Pushed ${written} rows; ${older} were older than what is there.`);
      } finally {
        client.disconnect();
      }
    });
}

type Lines = Iterable<string> | AsyncIterable<string>;

function chooseLines({ row, file }: PushArguments): () => Lines {
  if (row !== undefined && file === undefined) return () => row.split('\n');
  if (row !== undefined || file === undefined) {
    throw new ShortlistError('INVALID_REQUEST', 'Give either --row or --file.');
  }
  return () => readFileLines(file);
}

async function* readFileLines(path: string): AsyncGenerator<string> {
  try {
    const file = await open(path);
    yield* file.readLines();
  } catch (cause) {
    throw new ShortlistError('INVALID_REQUEST', `${path} cannot be read: ${(cause as Error).message}`, {
      cause,
    });
  }
}

const BATCH_LINES = 5000;

/** @yields what parses a batch of lines, which throws where one of them is no row */
async function* readBatches(
  lines: Lines,
  options: Omit<Parameters<typeof parsePushedLines>[1], 'firstLine'>,
): AsyncGenerator<() => PushedRow[]> {
  let batch: string[] = [];
  let firstLine = 1;
  const parseBatch = (): (() => PushedRow[]) => {
    const parse = parsePushedLines.bind(undefined, batch, { ...options, firstLine });
    firstLine += batch.length;
    batch = [];
    return parse;
  };
  for await (const line of lines) {
    batch.push(line);
    if (batch.length === BATCH_LINES) yield parseBatch();
  }
  yield parseBatch();
}

const MOST_PROBLEMS = 100;

/**
 * @returns how many rows there are
 * @throws ShortlistError INVALID_REQUEST with the first hundred problems of all batches
 */
async function checkRows(batches: AsyncIterable<() => PushedRow[]>): Promise<number> {
  const problems: string[] = [];
  let count = 0;
  for await (const parse of batches) {
    try {
      count += parse().length;
    } catch (error) {
      if (!(error instanceof ShortlistError)) throw error;
      problems.push(...error.problems);
    }
  }
  if (problems.length === 0) return count;
  const more = problems.length - MOST_PROBLEMS;
  const shown = problems.slice(0, MOST_PROBLEMS);
  throw new ShortlistError('INVALID_REQUEST', 'The rows cannot be pushed:', {
    problems: more > 0 ? [...shown, `and ${more} more`] : shown,
  });
}

async function pushBatches(
  batches: AsyncIterable<() => PushedRow[]>,
  push: (rows: PushedRow[]) => Promise<PushCounts>,
): Promise<PushCounts> {
  let written = 0;
  let older = 0;
  for await (const parse of batches) {
    const counts = await push(parse());
    written += counts.written;
    older += counts.older;
  }
  return { written, older };
}
