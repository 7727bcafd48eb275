import { join } from 'node:path';
import { type BenchBundle, BENCH_SCENARIO } from '../serving/bench-bundle.js';
import { startBenchServer } from '../serving/bench-server.js';
import type { ClosedLoopResult } from './closed-loop.js';
import type { Generator } from './generator.js';
import { type OtherGenerators, type OtherOpenLoop, runVegeta, runWrk } from './independent.js';
import type { OpenLoopResult } from './load-program.js';
import { type PeerServer, startPythonServer } from './python-server.js';

/** Who is measured, in the order of the table. */
export const PEERS = ['Python service', 'Shortlist', 'Shortlist, cached'] as const;
export type Peer = (typeof PEERS)[number];

/** What one server did in its turn of a round. */
export interface Turn {
  readonly closed: readonly ClosedLoopResult[];
  readonly open: readonly OpenLoopResult[];
  /** Of wrk and of vegeta; empty where they are not to be had. */
  readonly otherClosed: readonly ClosedLoopResult[];
  readonly otherOpen: readonly OtherOpenLoop[];
  /** What some users were answered with, item ids. */
  readonly answers: readonly (readonly string[])[];
}

export type Round = Readonly<Record<Peer, Turn>>;

export interface PeersOptions {
  readonly bundle: BenchBundle;
  /** The Python service: its interpreter, and the file with the vectors of users. */
  readonly python: { readonly interpreter: string; readonly users: string };
  readonly generator: Generator;
  readonly others: OtherGenerators;
  /** Computing threads of Shortlist. */
  readonly workers: number;
  /** How long a closed loop takes; an open one takes twice that. */
  readonly seconds: number;
  readonly cacheDir: string;
  readonly say: (line: string) => void;
}

export const CONNECTIONS = [4, 8, 32, 64] as const;
export const RATES = [100, 200] as const;

/** All are asked for the same users: as many as one cache holds the answers of, spread over all. */
const ASKING_USERS = 2_000;
const COMPARED_USERS = 20;
const WARM_CONNECTIONS = 4;
/** A server that is cold may refuse. */
const WARM_ATTEMPTS = 10;

/**
 * Starts one server after the other, each alone on the machine with its load, and measures it. Each round begins with another one, so that
 * none is always the first; in a round all are asked for the same users in the same order.
 */
export async function measureRound(round: number, options: PeersOptions): Promise<Round> {
  const turns: [Peer, Turn][] = [];
  for (let turn = 0; turn < PEERS.length; turn++) {
    const peer = PEERS[(turn + round) % PEERS.length]!;
    options.say(`round ${round + 1}: ${peer}`);
    const server = await startPeer(peer, options);
    try {
      turns.push([peer, await measureTurn(server, { ...options, seed: 1 + round })]);
    } finally {
      await server.stop();
    }
  }
  return Object.fromEntries(turns) as Round;
}

/** Of the ranking nothing is left out for speed: `compute.minDepth` is 1. */
function startPeer(peer: Peer, { bundle, python, workers, cacheDir }: PeersOptions): Promise<PeerServer> {
  if (peer === 'Python service') {
    return startPythonServer(python.interpreter, { bundleFolder: bundle.folder, users: python.users });
  }
  const cache = { enabled: peer === 'Shortlist, cached', ttlSeconds: 3600 };
  const configsDir = join(cacheDir, 'configs-peers');
  return startBenchServer(bundle, { workers, minDepth: 1, configsDir, settings: { cache } });
}

async function measureTurn(
  { url }: PeerServer,
  { bundle, generator, others, seconds, seed }: PeersOptions & { seed: number },
): Promise<Turn> {
  const count = Math.min(ASKING_USERS, bundle.users);
  const userIds = Array.from(
    { length: count },
    (_, index) => `u${Math.floor((index * bundle.users) / count)}`,
  );
  const answers = await askEach(url, userIds);
  const load = { url, userIds, seed, seconds };
  const openLoad = { ...load, seconds: 2 * seconds };
  return {
    answers: answers.slice(0, COMPARED_USERS),
    closed: await inTurn(CONNECTIONS, (connections) => generator.runClosed({ ...load, connections })),
    open: await inTurn(RATES, (rate) => generator.runOpen({ ...openLoad, rate })),
    otherOpen: others.vegeta
      ? await inTurn(RATES, (rate) => runVegeta({ ...openLoad, rate }, others.folder))
      : [],
    // Last, for it leaves without its answers, and a server still computes them.
    otherClosed: others.wrk
      ? await inTurn(CONNECTIONS, (connections) => runWrk({ ...load, connections }, others.folder))
      : [],
  };
}

async function inTurn<T, R>(values: readonly T[], run: (value: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const value of values) results.push(await run(value));
  return results;
}

/**
 * The items that each user is answered with: what is compared, and what warms a server up; a cache has every answer then.
 * @throws Error when an answer is not good
 */
async function askEach(url: URL, userIds: readonly string[]): Promise<string[][]> {
  const answers: string[][] = [];
  for (let from = 0; from < userIds.length; from += WARM_CONNECTIONS) {
    const asked = userIds.slice(from, from + WARM_CONNECTIONS);
    answers.push(...(await Promise.all(asked.map((userId) => askOne(url, userId)))));
  }
  return answers;
}

async function askOne(url: URL, userId: string, attempts = WARM_ATTEMPTS): Promise<string[]> {
  const path = `/recommendations/${userId}?limit=10&scenario=${BENCH_SCENARIO.name}`;
  const answer = await fetch(new URL(path, url));
  if (answer.ok) {
    const { items } = (await answer.json()) as { items: { itemId: string }[] };
    return items.map(({ itemId }) => itemId);
  }
  const body = await answer.text();
  if (attempts === 1) throw new Error(`${path} was answered with ${answer.status}: ${body}`);
  return askOne(url, userId, attempts - 1);
}
