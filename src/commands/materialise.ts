import { Command } from 'commander';
import type { BundleRegistry } from '../bundle/bundle-registry.js';
import { loadSettings } from '../config/load-settings.js';
import { ShortlistError } from '../domain/errors.js';
import type { ForgottenList } from '../domain/forgetting.js';
import { withForgottenUsers } from '../events/forgotten/open-forgotten-users.js';
import { loadFeatureTable } from '../features/load-feature-table.js';
import type { FeatureView } from '../features/feature-view.js';
import { materialiseView } from '../features/materialise-view.js';
import { isPassingRedisFault, type RedisClient, requireRedis } from '../features/redis-connection.js';
import { readRowsOfTable } from '../features/loadable-rows.js';
import { refuseFutureTimes } from '../features/refuse-future-times.js';
import type { DependencyAccess } from '../domain/dependency-access.js';
import type { ProgressReporter } from '../offline/progress/progress.js';
import type { CommandContext } from './command-context.js';
import { openRegistry } from './open-registry.js';
import { openOnlineViews, type OnlineViews } from './open-online-views.js';
import { openDependencies } from './open-dependencies.js';
import { toolConnectionOf } from './redis-options.js';

/** The command `shortlist materialise`. */
export function createMaterialiseCommand(context: CommandContext): Command {
  return new Command('materialise')
    .description(
      "Load the views of the channel's bundle that are served online into Redis (REDIS_URL). Run it again when it was cut off: it goes on where it stopped.",
    )
    .option('--view <name>', 'one of them, or all', 'all')
    .action(async ({ view: name }: { view: string }) => {
      const settings = loadSettings(context);
      const { bundle, features, redis } = settings;
      const registry = await openRegistry(bundle, context);
      const online = await openOnlineViews(registry, bundle.channel, name);
      const access = openDependencies(context);
      const client = await access.retry('redis', () => requireRedis(toolConnectionOf(redis)), {
        isPassing: isPassingRedisFault,
      });
      const confirm = (): Promise<void> => refuseMoved(online, { registry, channel: bundle.channel });
      const progress = await context.openProgress();
      const now = context.now().getTime() / 1000;
      const load = { ...features, prefix: redis.keyPrefix, client, access, progress, now, confirm };
      try {
        await withForgottenUsers(settings, async (forgotten) => {
          for (const view of online.views)
            context.print(await loadView(view, online, { ...load, forgotten }));
        });
      } finally {
        client.disconnect();
      }
    });
}

interface Loading {
  readonly client: RedisClient;
  readonly access: DependencyAccess;
  readonly expirySeconds: number;
  /** What keys begin with. */
  readonly prefix: string;
  readonly progress: ProgressReporter;
  /** Unix seconds. */
  readonly now: number;
  readonly confirm: () => Promise<void>;
  readonly forgotten: ForgottenList;
}

/** Rows of a bundle that the channel has left would be served beside the bundle that it points at now. */
async function refuseMoved(
  { version }: OnlineViews,
  { registry, channel }: { registry: BundleRegistry; channel: string },
): Promise<void> {
  const now = (await registry.readChannel(channel)).version;
  if (now === version) return;
  throw new ShortlistError(
    'CONFLICT',
    `${channel} was moved to ${now} while the rows of ${version} were loaded; they are not put into service. Run it again.`,
  );
}

/** @returns what came of it */
async function loadView(
  view: FeatureView,
  { version, files }: OnlineViews,
  { client, access, expirySeconds, prefix, progress, now, confirm, forgotten }: Loading,
): Promise<string> {
  const { knownUntil, dataset, forgottenUntil: until = Number.NEGATIVE_INFINITY } = files.manifest;
  const table = await loadFeatureTable({ file: files.deferredFile(view.file), view, knownUntil });
  refuseFutureTimes(table, now);
  const step = progress.start(`materialise ${view.name}`, table.entities.size);
  let reached = 0;
  const materialise = () => {
    let rows = 0;
    return materialiseView(readRowsOfTable(table), client, {
      version,
      space: { prefix, dataset: dataset.name },
      expirySeconds,
      forgotten: { list: forgotten, until },
      confirm,
      onRows: (count) => {
        rows += count;
        // Rows that an attempt before this one had written are there already.
        if (rows > reached) step.advance(rows - reached);
        reached = Math.max(reached, rows);
      },
    });
  };
  const { written, resumed } = await access.retry('redis', materialise, { isPassing: isPassingRedisFault });
  step.finish(`${written} rows`);
  const before = resumed === 0 ? '' : `, after ${resumed} of an earlier run`;
  return `Redis serves the ${view.name} of ${version}: ${written} rows written${before}.`;
}
