import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { openBundleFiles } from '../bundle/bundle-files.js';
import { createFolderRegistry } from '../bundle/folder-registry.js';
import { loadSettings } from '../config/load-settings.js';
import { ShortlistError } from '../domain/errors.js';
import { parsePushedRows } from '../features/parse-pushed-rows.js';
import { pushRows } from '../features/push-rows.js';
import { requireRedis } from '../features/redis-connection.js';
import type { CommandContext } from './command-context.js';
import { createViewOption, toolConnectionOf } from './redis-options.js';

export function createPushCommand(context: CommandContext): Command {
  return new Command('push')
    .description('Upsert single rows in Redis (REDIS_URL); an older event time never overwrites a newer one.')
    .addOption(createViewOption())
    .option(
      '--row <json>',
      'one row: {"id": "u1", "eventTime": "2026-01-02T03:04:05Z", "values": {"age": 31}}',
    )
    .option('--file <path>', 'a file with one such row per line')
    .action(async ({ row, file }: { row?: string; file?: string }) => {
      const { bundle, features, redis } = loadSettings(context);
      const registry = createFolderRegistry(bundle.registry);
      const { version } = await registry.readChannel(bundle.channel);
      const view = (await openBundleFiles(await registry.pathOf(version))).manifest.views.users;
      const now = context.now().getTime() / 1000;
      const rows = parsePushedRows(await readText(row, file), { view, now });
      const client = await requireRedis(toolConnectionOf(redis));
      try {
        const written = await pushRows(rows, client, { view, expirySeconds: features.usersExpirySeconds });
        context.print(`Pushed ${written} rows; ${rows.length - written} were older than what is there.`);
      } finally {
        client.disconnect();
      }
    });
}

async function readText(row: string | undefined, file: string | undefined): Promise<string> {
  if (row !== undefined && file === undefined) return row;
  if (row !== undefined || file === undefined) {
    throw new ShortlistError('INVALID_REQUEST', 'Give either --row or --file.');
  }
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new ShortlistError('INVALID_REQUEST', `${file} cannot be read: ${(cause as Error).message}`, {
      cause,
    });
  }
}
