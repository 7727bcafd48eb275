import cluster from 'node:cluster';
import { Command } from 'commander';
import { loadSettings } from '../config/load-settings.js';
import type { Settings } from '../config/settings.js';
import { requireAccess } from '../http/access/require-access.js';
import { createOpenedThings } from '../domain/opened-things.js';
import { joinGroup } from '../http/serve-in-group.js';
import { startServer } from '../http/start-server.js';
import { stopOnSignals } from '../http/stop-on-signals.js';
import type { CommandContext } from './command-context.js';
import { openServer, type OpenServer } from './open-server.js';
import { createServeOptions, listFlags, type ServeOptions } from './serve-flags.js';
import { CLOSING_PATIENCE_MS, supervise } from './supervise.js';
import { tellExplorer } from './tell-explorer.js';

/** The command `shortlist serve`. */
export function createServeCommand(context: CommandContext): Command {
  const command = new Command('serve').description(
    'Serve the bundle that the channel of SHORTLIST_ENV points at, on PORT (3000) and ADMIN_PORT (3001).',
  );
  for (const option of createServeOptions()) command.addOption(option);
  return command.action(async (options: ServeOptions) => {
    const settings = loadSettings({ ...context, flags: listFlags(options) });
    // Told before the bundle loads, which may take a while.
    requireAccess(settings);
    const { processes } = settings.supervisor;
    if (cluster.isWorker) return serveInPlace(settings, context);
    if (processes > 0) return supervise(processes, settings, context);
    return serveAlone(settings, context);
  });
}

async function serveAlone(settings: Settings, context: CommandContext): Promise<void> {
  const opened = createOpenedThings();
  try {
    const { parts, bundle } = await openServer(settings, context, { opened });
    const server = await startServer(parts);
    stopOnSignals(server, parts);
    // Standard output is the log; this line is for the person at the terminal.
    context.printError(
      `Shortlist serves ${bundle.dataset} (${bundle.version}) at ${server.url}; try ${server.url}/docs`,
    );
    tellExplorer(server.adminUrl, settings, context);
  } catch (error) {
    await opened.close({ patienceMs: CLOSING_PATIENCE_MS });
    throw error;
  }
}

/** As a process of a group. One that fails tells its supervisor why, which tells whoever started the group. */
async function serveInPlace(settings: Settings, context: CommandContext): Promise<void> {
  const opened = createOpenedThings();
  const known: Partial<Pick<OpenServer, 'quarantine' | 'overrides'>> = {};
  const member = joinGroup({
    closeAll: () => opened.close({ patienceMs: CLOSING_PATIENCE_MS }),
    learn: (change) => known.quarantine?.learn(change),
    adopt: (overrides) => known.overrides?.adopt(overrides),
  });
  try {
    const { parts, quarantine, overrides } = await openServer(settings, context, {
      opened,
      onHeld: (change) => member.tell(change),
    });
    Object.assign(known, { quarantine, overrides });
    member.serve(parts);
  } catch (error) {
    member.refuse(error);
  }
}
