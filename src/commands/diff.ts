import { Command } from 'commander';
import { openBundleFiles } from '../bundle/bundle-files.js';
import { diffManifests } from '../bundle/diff-manifests.js';
import { loadSettings } from '../config/load-settings.js';
import type { CommandContext } from './command-context.js';
import { findBundle } from './find-bundle.js';
import { openRegistry } from './open-registry.js';

/** The command `shortlist diff`. */
export function createDiffCommand(context: CommandContext): Command {
  return new Command('diff')
    .description('Tell what two bundles differ in: data, sources, features, training, figures, sizes.')
    .argument('<first>', 'a bundle folder, a version of the registry, or a channel')
    .argument('<second>', 'the same')
    .action(async (first: string, second: string) => {
      const registry = await openRegistry(loadSettings(context).bundle, context);
      const [a, b] = [
        (await openBundleFiles(await findBundle(first, registry))).manifest,
        (await openBundleFiles(await findBundle(second, registry))).manifest,
      ];
      const differences = diffManifests(a, b);
      for (const [name, ours, theirs] of differences) context.print(`${name}: ${ours} → ${theirs}`);
      if (differences.length === 0) context.print(`Both are ${a.version}.`);
    });
}
