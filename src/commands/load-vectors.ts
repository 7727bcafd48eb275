import { Command } from 'commander';
import type { Client } from 'pg';
import { type BundleFiles, openBundleFiles } from '../bundle/bundle-files.js';
import type { BundleRegistry } from '../bundle/bundle-registry.js';
import { parseTensorFile } from '../bundle/tensor-file.js';
import { type AlsModel, parseAls } from '../candidates/als.js';
import { connectVectorEngine, dropOtherVersions, loadItemVectors } from '../candidates/load-item-vectors.js';
import { toVectorEngineOptions, isPassingEngineFault } from '../candidates/vector-engine.js';
import { loadSettings } from '../config/load-settings.js';
import { ShortlistError } from '../domain/errors.js';
import type { CommandContext } from './command-context.js';
import { openRegistry } from './open-registry.js';
import { openDependencies } from './open-dependencies.js';

/** The command `shortlist load-vectors`. */
export function createLoadVectorsCommand(context: CommandContext): Command {
  return new Command('load-vectors')
    .description(
      'Load the item vectors of a bundle into the vector engine (VECTOR_ENGINE_URL), in a table of its own. Run it before a server opens the bundle.',
    )
    .argument('[version]', 'version to load (default: the one that the channel points at)')
    .option(
      '--drop-others',
      'then drop the tables of versions that are neither this one nor pointed at by any channel',
    )
    .action(async (asked: string | undefined, { dropOthers = false }: { dropOthers?: boolean }) => {
      const settings = loadSettings(context);
      const registry = await openRegistry(settings.bundle, context);
      const version = asked ?? (await registry.readChannel(settings.bundle.channel)).version;
      const model = readModel(await openBundleFiles(await registry.pathOf(version), { deferViews: true }));
      const engine = toVectorEngineOptions(settings);
      const progress = await context.openProgress();
      // All of it: what a connection that is lost had written is gone with its transaction.
      const load = async (): Promise<{ client: Client; written: number }> => {
        const client = await connectVectorEngine(engine);
        const step = progress.start('load vectors', model.factors.length / model.dimensions);
        const onRows = (count: number): void => step.advance(count);
        try {
          const written = await loadItemVectors(client, model, { ...engine, version, onRows });
          step.finish(`${written} vectors`);
          return { client, written };
        } catch (error) {
          step.finish('failed');
          await client.end();
          throw error;
        }
      };
      const { client, written } = await openDependencies(context).retry('vector_engine', load, {
        isPassing: isPassingEngineFault,
      });
      try {
        context.print(describeLoad(version, written));
        if (!dropOthers) return;
        const keep = [version, ...(await listServedVersions(registry))];
        const dropped = await dropOtherVersions(client, { ...engine, keep });
        context.print(dropped.length === 0 ? 'There are no other tables.' : `Dropped ${dropped.join(', ')}.`);
      } finally {
        await client.end();
      }
    });
}

function readModel({ manifest, bytesOf, folder }: BundleFiles): AlsModel {
  const file = manifest.sources['als']?.file;
  if (file === undefined) {
    throw new ShortlistError('INVALID_BUNDLE', `The bundle at ${folder} has no source als, so no vectors.`);
  }
  return parseAls(parseTensorFile(bytesOf(file), file), { itemCount: manifest.dataset.items });
}

function describeLoad(version: string, written: number): string {
  if (written === 0) return `The vector engine has the vectors of ${version} already.`;
  return `The vector engine has the vectors of ${version}: ${written} written.`;
}

async function listServedVersions(registry: BundleRegistry): Promise<string[]> {
  return [...(await registry.listChannels()).values()].map(({ version }) => version);
}
