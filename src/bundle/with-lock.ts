import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { ShortlistError } from '../domain/errors.js';
import type { BundleStore } from './bundle-store.js';
import { identifyThisProcess, isAlive, type ProcessIdentity } from './process-identity.js';

/** The part of a store that locks are kept in. */
export type LockStore = Pick<
  BundleStore,
  'location' | 'findText' | 'replaceText' | 'renewText' | 'listTexts' | 'removeText'
>;

/** Options of `withLock`. */
export interface LockOptions {
  /** What the holder does, for those who wait: `publish`. */
  readonly purpose: string;
  /** Which lock of the store, where it has several. */
  readonly name?: string;
  /** Longest wait for others; 30 s by default. */
  readonly waitMs?: number;
  /** A holder on another machine that showed no sign of life for so long has none; 60 s by default. */
  readonly leaseMs?: number;
}

/** A lock that is held. */
export interface Lock {
  /**
   * To be called right before each act that nobody else may do meanwhile.
   * @throws ShortlistError CONFLICT when another process took the lock over, because this one seemed dead
   */
  readonly confirm: () => Promise<void>;
}

const WAIT_MS = 30_000;
const LEASE_MS = 60_000;

/** Signs of life within a lease. */
const BEATS = 6;

const FOLDER = '.locks';

/** A file in the folder of locks: who wants or holds the lock, and a number that rises while it lives. */
interface Claim extends ProcessIdentity {
  readonly purpose: string;
  readonly since: string;
  readonly beat: string;
}

/**
 * Does work that no other process may do at the same time on the same store. Who wants the lock writes a claim under a name of its own,
 * then lists the claims: whoever sees no other holds the lock, because of two who write before they list at least one sees the other.
 * (So it needs no conditional writes, which not every bucket has.) A claim of a process that has ended on this machine is removed at once;
 * one of another machine when it shows no sign of life for a lease. A process that is suspended keeps its lock.
 * @throws ShortlistError LOCKED, naming the holder, when it cannot be had in time; what `work` throws
 */
export async function withLock<T>(
  store: LockStore,
  options: LockOptions,
  work: (lock: Lock) => Promise<T>,
): Promise<T> {
  const { leaseMs = LEASE_MS } = options;
  const folder = options.name === undefined ? FOLDER : `${FOLDER}/${options.name}`;
  const claim = `${folder}/${randomUUID()}.json`;
  const write = createClaimWriter(options.purpose);
  await acquire(store, { ...options, folder, claim, text: write() });
  let renewing: Promise<unknown> = Promise.resolve();
  const renew = (): Promise<boolean> => store.renewText(claim, write());
  const beat = setInterval(() => {
    // What fails now is seen by who confirms.
    renewing = renewing.then(renew).catch(() => undefined);
  }, leaseMs / BEATS).unref();
  try {
    return await work({
      confirm: async () => {
        if (await renew()) return;
        throw new ShortlistError(
          'CONFLICT',
          `Another process took the lock of ${store.location} over, because this one showed no sign of life for ${leaseMs / 1000} s. Run it again.`,
        );
      },
    });
  } finally {
    clearInterval(beat);
    await renewing;
    await store.removeText(claim);
  }
}

/** Texts of one length: a claim is renewed in place. */
function createClaimWriter(purpose: string): () => string {
  const since = new Date().toISOString();
  let beats = 0;
  return () => {
    const claim: Claim = {
      ...identifyThisProcess(),
      purpose,
      since,
      beat: String(beats++).padStart(9, '0'),
    };
    return `${JSON.stringify(claim)}\n`;
  };
}

interface Acquisition extends LockOptions {
  readonly folder: string;
  /** Path of the own claim, and what it says. */
  readonly claim: string;
  readonly text: string;
}

async function acquire(store: LockStore, options: Acquisition): Promise<void> {
  const { claim, text, waitMs = WAIT_MS } = options;
  const listHolders = createHolderList(store, options);
  const startedAt = performance.now();
  for (;;) {
    let holders = await listHolders();
    if (holders.length === 0) {
      await store.replaceText(claim, text);
      holders = await listHolders().catch(async (error: unknown) => {
        await store.removeText(claim);
        throw error;
      });
      if (holders.length === 0) return;
      await store.removeText(claim);
    }
    if (performance.now() - startedAt > waitMs) throw locked(store, holders[0]!, waitMs);
    // At random, so that two who saw each other do not go on seeing each other.
    await wait(20 + 80 * Math.random());
  }
}

interface Holder {
  readonly path: string;
  /** Undefined for one that cannot be read: it is being written, or was damaged. */
  readonly claim: Claim | undefined;
}

/** Lists the claims of others that live; those that do not are removed. */
function createHolderList(
  store: LockStore,
  { folder, claim: own, leaseMs = LEASE_MS }: Acquisition,
): () => Promise<Holder[]> {
  /** Since when each claim has been what it is, on the clock of `performance.now()`. */
  const seen = new Map<string, { text: string; since: number }>();

  function hasExpired(path: string, text: string): boolean {
    const before = seen.get(path);
    if (before?.text === text) return performance.now() - before.since > leaseMs;
    seen.set(path, { text, since: performance.now() });
    return false;
  }

  async function findHolder(path: string): Promise<Holder[]> {
    const text = await store.findText(path);
    if (text === undefined) return [];
    const claim = findClaim(text);
    const living = claim && isAlive(claim);
    if (living === true || (living === undefined && !hasExpired(path, text))) return [{ path, claim }];
    await store.removeText(path);
    return [];
  }

  return async () => {
    const paths = (await store.listTexts(folder)).map((file) => `${folder}/${file}`);
    const found = await Promise.all(paths.filter((path) => path !== own).map(findHolder));
    return found.flat();
  };
}

function findClaim(text: string): Claim | undefined {
  try {
    return JSON.parse(text) as Claim;
  } catch {
    return undefined;
  }
}

function locked({ location }: LockStore, { path, claim }: Holder, waitMs: number): ShortlistError {
  const who =
    claim === undefined
      ? 'a process that cannot be told'
      : `\`${claim.purpose}\`, process ${claim.pid} on ${claim.host}, since ${claim.since}`;
  return new ShortlistError(
    'LOCKED',
    `${location} is in use by ${who}; it was waited for ${waitMs / 1000} s. Try again when it has ended; if it hangs, end it. ` +
      `Where it is certain that there is none, remove ${location}/${path}.`,
  );
}
