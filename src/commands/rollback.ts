import { Command } from 'commander';
import type { MoveOptions } from '../bundle/bundle-registry.js';
import { loadSettings } from '../config/load-settings.js';
import type { CommandContext } from './command-context.js';
import { createDatasetChangeOption } from './dataset-change-option.js';
import { openRegistry } from './open-registry.js';

/** The command `shortlist rollback`. */
export function createRollbackCommand(context: CommandContext): Command {
  return new Command('rollback')
    .description('Point a channel back at the bundle it pointed at before.')
    .option('--channel <name>', 'channel to roll back', 'production')
    .addOption(createDatasetChangeOption())
    .action(async ({ channel, ...options }: { channel: string } & MoveOptions) => {
      const { bundle } = loadSettings(context);
      const registry = await openRegistry(bundle, context);
      const pointer = await registry.rollback(channel, options);
      context.print(`${channel} points at ${pointer.version} again.`);
    });
}
