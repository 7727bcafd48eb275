import { Command } from 'commander';
import { createFolderRegistry } from '../bundle/folder-registry.js';
import { loadSettings } from '../config/load-settings.js';
import type { CommandContext } from './command-context.js';

export function createPromoteCommand(context: CommandContext): Command {
  return new Command('promote')
    .description('Point the production channel at a bundle of the registry.')
    .argument('[version]', 'version to promote (default: the one that staging points at)')
    .action(async (version: string | undefined) => {
      const { bundle } = loadSettings(context);
      const pointer = await createFolderRegistry(bundle.registry).promote(version);
      context.print(
        `production points at ${pointer.version}, before at ${pointer.previous[0] ?? 'nothing'}.`,
      );
    });
}
