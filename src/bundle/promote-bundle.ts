import { appendFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ShortlistError } from '../domain/errors.js';
import { openBundleFiles } from './bundle-files.js';
import type { BundleRegistry, ChannelPointer } from './bundle-registry.js';
import type { Manifest } from './manifest.js';
import { checkGates, describeCheck, type GateCheck, type Gates } from './promotion-gates.js';

/** One line per decision, refusals too, oldest first. */
export const DECISIONS_FILE = 'promotions.jsonl';

/** A line of `promotions.jsonl`. */
export interface PromotionDecision {
  /** ISO 8601. */
  readonly at: string;
  readonly version: string;
  /** What production served when it was decided; null for nothing. */
  readonly production: string | null;
  readonly passed: boolean;
  readonly checks: readonly GateCheck[];
}

export interface PromotionOptions {
  /** Folder of the registry, where decisions are recorded. */
  readonly root: string;
  readonly gates: Gates;
  readonly now: () => Date;
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
  await record(options.root, {
    at: options.now().toISOString(),
    version,
    production: production?.version ?? null,
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

async function record(root: string, decision: PromotionDecision): Promise<void> {
  await mkdir(root, { recursive: true });
  await appendFile(join(root, DECISIONS_FILE), `${JSON.stringify(decision)}\n`);
}

function gatesFailed(version: string, failed: readonly GateCheck[]): ShortlistError {
  return new ShortlistError(
    'GATES_FAILED',
    `${version} does not pass ${failed.length === 1 ? 'a gate' : `${failed.length} gates`} of configs/gates.yaml; ` +
      'production stays as it is. Publish a better bundle, or, where a gate asks too much, change it there:',
    { problems: failed.map(describeCheck) },
  );
}
