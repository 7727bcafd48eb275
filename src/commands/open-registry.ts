import { userInfo } from 'node:os';
import type { BundleRegistry } from '../bundle/bundle-registry.js';
import { createFolderRegistry } from '../bundle/folder-registry.js';
import { createRegistry } from '../bundle/create-registry.js';
import { createS3Store } from '../bundle/s3-store.js';
import type { Settings } from '../config/settings.js';
import type { DependencyAccess } from '../domain/dependency-access.js';
import type { CommandContext } from './command-context.js';
import { openDependencies } from './open-dependencies.js';

/**
 * The registry of the settings: a folder, or a bucket.
 * @param access to the bucket; that of a command when not said
 * @throws ShortlistError INVALID_CONFIG when the address is that of neither
 */
export async function openRegistry(
  { registry, s3Endpoint, cacheFolder }: Settings['bundle'],
  context: CommandContext,
  access?: DependencyAccess,
): Promise<BundleRegistry> {
  const options = { now: () => context.now(), by: findUserName() };
  if (!/^s3:/i.test(registry)) return createFolderRegistry(registry, options);
  const store = await createS3Store(
    { address: registry, endpoint: s3Endpoint, cacheDir: cacheFolder },
    access ?? openDependencies(context),
  );
  return createRegistry(store, options);
}

/** A container may run as a user that has no name. */
function findUserName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.()}`;
  }
}
