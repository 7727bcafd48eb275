import { join } from 'node:path';
import { Command } from 'commander';
import { promoteBundle } from '../bundle/promote-bundle.js';
import { describeCheck, Gates } from '../bundle/promotion-gates.js';
import { loadSettings } from '../config/load-settings.js';
import { readConfigFile } from '../config/read-config-file.js';
import type { CommandContext } from './command-context.js';
import { openRegistry } from './open-registry.js';

export function createPromoteCommand(context: CommandContext): Command {
  return new Command('promote')
    .description('Point the production channel at a bundle that passes the gates of configs/gates.yaml.')
    .argument('[version]', 'version to promote (default: the one that staging points at)')
    .action(async (version: string | undefined) => {
      const { bundle } = loadSettings(context);
      const { pointer, checks } = await promoteBundle(await openRegistry(bundle, context), {
        gates: readConfigFile(Gates, join(context.configsDir, 'gates.yaml')),
        version,
      });
      for (const check of checks) context.print(`passed ${describeCheck(check)}`);
      context.print(
        `production points at ${pointer.version}, before at ${pointer.previous[0] ?? 'nothing'}.`,
      );
    });
}
