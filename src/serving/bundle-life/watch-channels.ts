import type { Logger } from 'pino';
import type { BundleRegistry, ChannelPointer } from '../../bundle/bundle-registry.js';
import { hasTrait, ShortlistError } from '../../domain/errors.js';
import type { BundleMetrics } from '../../observability/metrics/bundle-metrics.js';

/** What serves the bundles of channels. */
export interface ChannelServer {
  /**
   * The versions in service by channel: one, several where processes differ, undefined where nothing is in service that should be.
   * What is not named is not watched.
   */
  versions(): ReadonlyMap<string, readonly (string | undefined)[]>;
  /** Opens what the channels point at by now; rejects when any of it is refused. */
  reload(): Promise<unknown>;
}

/** What is watched, how often, and who is told. */
export interface ChannelWatchOptions {
  readonly registry: Pick<BundleRegistry, 'readChannel'>;
  readonly server: ChannelServer;
  readonly logger: Logger;
  readonly metrics: BundleMetrics;
  /** From the end of a look to the next one, give or take a quarter. */
  readonly intervalMs: number;
  /** From 0 to below 1; servers that were started together do not ask a bucket, or open a bundle, all at one moment. */
  readonly random: () => number;
  /** Milliseconds, on a clock that never goes back. */
  readonly now: () => number;
  /** A registry that has not said for so long where a channel points (a network disk that hangs) counts as away; a minute when not said. */
  readonly patienceMs?: number;
}

/** A watch that looks by itself from when it is created until it is stopped. */
export interface ChannelWatch {
  /** Looks now; never rejects over what the registry or a bundle does. */
  look(): Promise<void>;
  /** From now on nothing is reloaded that was not begun. */
  stop(): void;
}

/** Any other refusal may pass (a bucket that fails, a version that is not copied yet): it is tried again after this, then twice as much, ... */
const FIRST_RETRY_MS = 30_000;
/** ... up to this: to open a bundle costs processor time and memory. */
const LONGEST_RETRY_MS = 15 * 60_000;

type Pointers = ReadonlyMap<string, ChannelPointer>;

/**
 * Looks again and again where channels point, and has what serves them reload when that is another version than is in service. While the
 * registry cannot be read, or what it points at is refused, what is in service stays; each change of state is logged once. It never
 * holds the process.
 */
export function watchChannels(options: ChannelWatchOptions): ChannelWatch {
  const { server, logger, metrics, now } = options;
  const readPointers = createPointerReader(options);
  const refusals = createRefusals(now);
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  function isBehind(pointers: Pointers): boolean {
    const behind = [...server.versions()].filter(([channel, versions]) => {
      const pointer = pointers.get(channel);
      const isOther = pointer !== undefined && versions.some((version) => version !== pointer.version);
      metrics.showChannelBehind(channel, isOther);
      return isOther;
    });
    return behind.length > 0;
  }

  async function reload(pointed: string, pointers: Pointers): Promise<void> {
    const startedAt = now();
    try {
      await server.reload();
      // What is tried beside the bundle in service rejects nothing when it is refused.
      if (isBehind(pointers)) return void refusals.add(pointed);
      refusals.clear();
      metrics.countReload('swapped');
      logger.info({ pointed, milliseconds: Math.round(now() - startedAt) }, 'channel moved: bundle swapped');
    } catch (err) {
      if (stopped) return;
      const retryMs = refusals.add(pointed, err);
      metrics.countReload('refused');
      const retry = Number.isFinite(retryMs) ? { retryMs } : {};
      logger.error({ err, pointed, ...retry }, 'channel moved: bundle refused; what is in service stays');
    }
  }

  async function look(): Promise<void> {
    const pointers = await readPointers();
    if (stopped || pointers === undefined) return;
    if (!isBehind(pointers)) return refusals.clear();
    const pointed = describePointers(pointers);
    if (!refusals.has(pointed)) await reload(pointed, pointers);
  }

  function schedule(): void {
    if (stopped) return;
    timer = setTimeout(
      () => void look().then(schedule),
      options.intervalMs * (0.75 + options.random() / 2),
    ).unref();
  }

  schedule();
  return {
    look,
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

/** With the time: a channel that left what was refused and came back between two looks has moved. */
function describePointers(pointers: Pointers): string {
  return [...pointers]
    .map(([channel, { version, updatedAt }]) => `${channel} at ${version} since ${updatedAt}`)
    .join(', ');
}

/** Reads where the watched channels point; gives undefined while the registry is away, and tells when it goes and comes back. */
function createPointerReader(options: ChannelWatchOptions): () => Promise<Pointers | undefined> {
  const { registry, server, logger, metrics, patienceMs = 60_000 } = options;
  let isAway = false;

  async function readPointers(): Promise<Pointers> {
    const pointers = new Map<string, ChannelPointer>();
    for (const [channel, versions] of server.versions()) {
      const pointer = await within(patienceMs, registry.readChannel(channel)).catch((error: unknown) => {
        // Nothing to be tried yet is no fault of the registry.
        if (isMissing(error) && versions.every((version) => version === undefined)) return undefined;
        throw error;
      });
      if (pointer !== undefined) pointers.set(channel, pointer);
    }
    return pointers;
  }

  return async () => {
    try {
      const pointers = await readPointers();
      if (isAway) logger.info('the bundle registry can be read again');
      isAway = false;
      return pointers;
    } catch (err) {
      if (!isAway) logger.warn({ err }, 'the bundle registry cannot be read; what is in service stays');
      isAway = true;
      return undefined;
    } finally {
      metrics.showRegistry(!isAway);
    }
  };
}

/** Nobody would look any more behind a read that never ends. */
async function within<T>(patienceMs: number, reading: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const what = `The bundle registry has not answered for ${patienceMs} ms.`;
    timer = setTimeout(() => reject(new ShortlistError('REGISTRY_FAILED', what)), patienceMs).unref();
  });
  return Promise.race([reading, late]).finally(() => clearTimeout(timer));
}

function isMissing(error: unknown): boolean {
  return error instanceof ShortlistError && error.code === 'BUNDLE_NOT_FOUND';
}

/** What was refused, and until when it is left alone. */
interface Refusal {
  readonly pointed: string;
  readonly retryMs: number;
  readonly retryAt: number;
}

/** Remembers what was refused last, so that it is left alone for ever longer. */
function createRefusals(now: () => number) {
  let last: Refusal | undefined;
  return {
    /** Gives how many milliseconds the same is left alone. */
    add: (pointed: string, error?: unknown): number => {
      const retryMs = chooseRetry(error, last?.pointed === pointed ? last.retryMs : undefined);
      last = { pointed, retryMs, retryAt: now() + retryMs };
      return retryMs;
    },
    /** Whether it is to be left alone still. */
    has: (pointed: string): boolean => last?.pointed === pointed && now() < last.retryAt,
    clear: (): void => void (last = undefined),
  };
}

/** Milliseconds until the same is tried again; infinite when it would be refused for the same reason. */
function chooseRetry(error: unknown, before: number | undefined): number {
  // The same bundle would be refused again: it is tried again when a channel moves, or when POST /bundle/reload asks for it.
  if (hasTrait(error, 'final')) return Number.POSITIVE_INFINITY;
  return before === undefined ? FIRST_RETRY_MS : Math.min(LONGEST_RETRY_MS, 2 * before);
}
