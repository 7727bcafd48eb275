import { ShortlistError } from '../domain/errors.js';
import type { AuditEvent } from './audit-entry.js';
import { openBundleFiles } from './bundle-files.js';
import {
  type BundleRegistry,
  type ChannelPointer,
  PROMOTED_FROM,
  type PromotedChannel,
} from './bundle-registry.js';
import type { Manifest } from './manifest.js';
import {
  checkGates,
  describeCheck,
  type GateCheck,
  type Gates,
  type TryOutResult,
} from './promotion-gates.js';

/** Options of `promoteBundle`. */
export interface PromotionOptions {
  /** Thresholds; a gate that is absent is not checked. */
  readonly gates: Gates;
  /** Default: the version that the channel before it points at. */
  readonly version?: string | undefined;
  /** `production` by default. */
  readonly to?: PromotedChannel | undefined;
  /** Gates that may fail, and why: it is kept in the audit log. */
  readonly allowed?: { readonly gates: readonly (keyof Gates)[]; readonly reason: string } | undefined;
  readonly tryOut: TryOut;
  /** Lets the channel take a bundle of another dataset than it has. */
  readonly allowDatasetChange?: boolean | undefined;
}

/**
 * Opens a bundle folder as a server does and asks it for recommendations, beside the current one where there is one that opens.
 * @param findCurrent gives the folder of the current one; it may reject
 * @throws ShortlistError when the bundle would be refused
 */
export type TryOut = (
  folder: string,
  findCurrent: (() => Promise<string>) | undefined,
) => Promise<TryOutResult>;

/** A promotion that went through: the new pointer of the channel, and what each gate found. */
export interface Promotion {
  readonly pointer: ChannelPointer;
  readonly checks: readonly GateCheck[];
}

/**
 * Points a channel at a version that opens, answers, and passes every gate that it is not allowed to fail. The decision is recorded first, so
 * that none is taken without a record. It is not made when the channel was moved while the version was tried.
 *
 * @throws ShortlistError GATES_FAILED naming each failed gate with its value and threshold; what `tryOut` throws; else as
 * BundleRegistry.promote
 */
export async function promoteBundle(registry: BundleRegistry, options: PromotionOptions): Promise<Promotion> {
  const { to = 'production', allowed, gates, tryOut, allowDatasetChange } = options;
  const version = options.version ?? (await registry.readChannel(PROMOTED_FROM[to])).version;
  const expected = (await findChannel(registry, to))?.version ?? null;
  const current = expected === null ? undefined : await findManifest(registry, expected);
  const describeDecision = (checks: readonly GateCheck[]): AuditEvent => {
    const passed = checks.every((check) => check.passed || check.allowed === true);
    const reason = passed && checks.some((check) => check.allowed === true) ? allowed?.reason : undefined;
    return {
      action: 'promote',
      version,
      channel: to,
      before: expected,
      passed,
      checks,
      ...(reason !== undefined && { reason }),
    };
  };

  let opened: { manifest: Manifest; tried: TryOutResult };
  try {
    const { folder, manifest } = await openBundleFiles(await registry.pathOf(version));
    const findCurrent = current && (() => registry.pathOf(current.version));
    opened = { manifest, tried: await tryOut(folder, findCurrent) };
  } catch (error) {
    if (isNotFound(error)) throw error;
    const note = describeError(error);
    await registry.record(describeDecision([{ gate: 'opens', passed: false, value: 0, threshold: 1, note }]));
    throw error;
  }
  const { manifest, tried } = opened;
  const checks = [OPENS, ...checkGates(manifest, gates, { current, tried })].map((check): GateCheck =>
    !check.passed && allowed?.gates.some((gate) => gate === check.gate) === true
      ? { ...check, allowed: true }
      : check,
  );
  const event = describeDecision(checks);
  const failed = checks.filter((check) => !check.passed && check.allowed !== true);
  if (failed.length > 0) {
    await registry.record(event);
    throw gatesFailed({ version, to }, failed);
  }
  return { pointer: await registry.promote(version, { to, expected, event, allowDatasetChange }), checks };
}

const OPENS: GateCheck = { gate: 'opens', passed: true, value: 1, threshold: 1 };

async function findChannel(registry: BundleRegistry, channel: string): Promise<ChannelPointer | undefined> {
  return registry.readChannel(channel).catch(ignoreNotFound);
}

/**
 * None of a version that was removed: nothing to be worse than. Its files are not verified: a bundle that was damaged since must not keep
 * a sound one out of its place.
 */
async function findManifest(registry: BundleRegistry, version: string): Promise<Manifest | undefined> {
  return registry.readManifest(version).catch(ignoreNotFound);
}

function ignoreNotFound(error: unknown): undefined {
  if (!isNotFound(error)) throw error;
}

/** On one line, as a log has it. */
function describeError(error: unknown): string {
  if (!(error instanceof ShortlistError)) return String(error);
  return [error.summary, error.problems.join('; ')].filter(Boolean).join(': ');
}

function isNotFound(error: unknown): boolean {
  return error instanceof ShortlistError && error.code === 'BUNDLE_NOT_FOUND';
}

function gatesFailed(
  { version, to }: { version: string; to: PromotedChannel },
  failed: readonly GateCheck[],
): ShortlistError {
  const names = failed.map(({ gate }) => gate).join(',');
  return new ShortlistError(
    'GATES_FAILED',
    `${version} does not pass ${failed.length === 1 ? 'a gate' : `${failed.length} gates`} of configs/gates.yaml; ` +
      `${to} stays as it is. Publish a better bundle; where a gate asks too much, change it there, or for once say ` +
      `\`--allow ${names} --reason '<why>'\`, which the audit log keeps:`,
    { problems: failed.map(describeCheck) },
  );
}
