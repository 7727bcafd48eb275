import { Command } from 'commander';
import { openBundleFiles } from '../bundle/bundle-files.js';
import { createFolderRegistry } from '../bundle/folder-registry.js';
import { loadSettings } from '../config/load-settings.js';
import { loadFeatureTable } from '../features/load-feature-table.js';
import { materialiseView } from '../features/materialise-view.js';
import { requireRedis } from '../features/redis-connection.js';
import { readRowsOfTable } from '../features/row-source.js';
import type { CommandContext } from './command-context.js';
import { createViewOption, toolConnectionOf } from './redis-options.js';

export function createMaterialiseCommand(context: CommandContext): Command {
  return new Command('materialise')
    .description(
      "Load a feature view of the channel's bundle into Redis (REDIS_URL). Run it again when it was cut off: it goes on where it stopped.",
    )
    .addOption(createViewOption())
    .action(async () => {
      const { bundle, features, redis } = loadSettings(context);
      const registry = createFolderRegistry(bundle.registry);
      const { version } = await registry.readChannel(bundle.channel);
      const files = await openBundleFiles(await registry.pathOf(version), { deferViews: true });
      const { knownUntil, views } = files.manifest;
      const table = await loadFeatureTable({
        file: files.deferredFile(views.users.file),
        view: views.users,
        knownUntil,
      });
      const client = await requireRedis(toolConnectionOf(redis));
      const step = (await context.openProgress()).start('materialise users', table.entities.size);
      try {
        const { written, resumed } = await materialiseView(readRowsOfTable(table), client, {
          generation: version,
          expirySeconds: features.usersExpirySeconds,
          onRows: (count) => step.advance(count),
        });
        step.finish(`${written} rows`);
        const before = resumed === 0 ? '' : `, after ${resumed} of an earlier run`;
        context.print(`Redis serves the users of ${version}: ${written} rows written${before}.`);
      } finally {
        client.disconnect();
      }
    });
}
