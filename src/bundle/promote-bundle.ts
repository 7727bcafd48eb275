import { ShortlistError } from '../domain/errors.js';
import { openBundleFiles } from './bundle-files.js';
import type { BundleRegistry, ChannelPointer } from './bundle-registry.js';
import type { Manifest } from './manifest.js';
import { checkGates, describeCheck, type GateCheck, type Gates } from './promotion-gates.js';

export interface PromotionOptions {
  readonly gates: Gates;
  /** Default: the version that staging points at. */
  readonly version?: string | undefined;
}

/**
 * Points production at a version if it passes every gate. The decision is recorded first, so that none is taken without
 * a record.
 *
 * @throws ShortlistError GATES_FAILED naming each failed gate with its value and threshold; else as BundleRegistry.promote
 */
export async function promoteBundle(
  registry: BundleRegistry,
  options: PromotionOptions,
): Promise<{ pointer: ChannelPointer; checks: readonly GateCheck[] }> {
  const version = options.version ?? (await registry.readChannel('staging')).version;
  const { manifest } = await openBundleFiles(await registry.pathOf(version));
  const production = await findProduction(registry);
  const checks = checkGates(manifest, production, options.gates);
  const failed = checks.filter(({ passed }) => !passed);
  await registry.record({
    action: 'promote',
    version,
    channel: 'production',
    before: production?.version ?? null,
    passed: failed.length === 0,
    checks,
  });
  if (failed.length > 0) throw gatesFailed(version, failed);
  return { pointer: await registry.promote(version), checks };
}

/** None where production points nowhere, or at a version that was removed: nothing to be worse than. */
async function findProduction(registry: BundleRegistry): Promise<Manifest | undefined> {
  try {
    const { version } = await registry.readChannel('production');
    return (await openBundleFiles(await registry.pathOf(version))).manifest;
  } catch (error) {
    if (error instanceof ShortlistError && error.code === 'BUNDLE_NOT_FOUND') return undefined;
    throw error;
  }
}

function gatesFailed(version: string, failed: readonly GateCheck[]): ShortlistError {
  return new ShortlistError(
    'GATES_FAILED',
    `${version} does not pass ${failed.length === 1 ? 'a gate' : `${failed.length} gates`} of configs/gates.yaml; ` +
      'production stays as it is. Publish a better bundle, or, where a gate asks too much, change it there:',
    { problems: failed.map(describeCheck) },
  );
}
