import type { TryOutFigures, TryOutResult } from '../../bundle/promotion-gates.js';
import type { ScenarioConfig } from '../../config/scenario-config.js';
import { NOBODY } from '../../domain/subject.js';
import { closeEngine } from '../../engine/close-engine.js';
import type { Engine } from '../../pipeline/engine.js';
import { openEngine } from '../../engine/open-engine.js';
import type { RecommendationRequest } from '../../pipeline/recommendation-request.js';
import { recommend } from '../../pipeline/recommend.js';
import { warm } from '../compute/warm.js';

/** How the bundles that are compared are opened. */
export interface LatencyOptions {
  readonly scenarios: ReadonlyMap<string, ScenarioConfig>;
  /** What the feature views of one bundle may take in memory. */
  readonly memoryLimitBytes: number;
}

/** Other work on the machine only ever makes a round slower: the least of several is what the bundle takes. */
const ROUNDS = 3;
const REQUESTS_PER_ROUND = 100;

/** How long a recommendation took, and whether a stage fell back. */
interface Sample {
  readonly milliseconds: number;
  readonly degraded: boolean;
}

/**
 * Opens a bundle, and the current one beside it, and asks both for recommendations: in turns, for the same users, warm, one after the other
 * in this thread.
 *
 * @param findCurrent gives the folder of the current one, where there is one; when it does not open nothing is compared
 * @returns the least median and 99th percentile of three rounds of a hundred recommendations, and how many were degraded
 * @throws ShortlistError as `openEngine` does, over the bundle
 */
export async function compareLatency(
  folder: string,
  findCurrent: (() => Promise<string>) | undefined,
  options: LatencyOptions,
): Promise<TryOutResult> {
  const candidate = await openWarm(folder, options);
  try {
    const current = await openCurrent(findCurrent, options);
    if (typeof current === 'string') return { candidate: summarise(await measure([candidate])), current };
    try {
      const samples = await measure([candidate, current]);
      return { candidate: summarise(samples, 0), current: summarise(samples, 1) };
    } finally {
      await closeEngine(current);
    }
  } finally {
    await closeEngine(candidate);
  }
}

async function openWarm(folder: string, { scenarios, memoryLimitBytes }: LatencyOptions): Promise<Engine> {
  const engine = await openEngine(folder, scenarios, { memoryLimitBytes });
  try {
    await warm(engine, (request) => recommend(request, engine));
    return engine;
  } catch (error) {
    await closeEngine(engine);
    throw error;
  }
}

/** Or why there is none. */
async function openCurrent(
  findCurrent: (() => Promise<string>) | undefined,
  options: LatencyOptions,
): Promise<Engine | string> {
  if (findCurrent === undefined) return 'the channel points at nothing';
  try {
    return await openWarm(await findCurrent(), options);
  } catch (error) {
    return `the current bundle does not open: ${(error as Error).message}`;
  }
}

/** By round, request and engine. */
async function measure(engines: readonly [Engine, ...Engine[]]): Promise<Sample[][][]> {
  const rounds: Sample[][][] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const requests: Sample[][] = [];
    for (const userId of listUsers(engines)) {
      const samples: Sample[] = [];
      for (const engine of engines) samples.push(await ask(engine, userId));
      requests.push(samples);
    }
    rounds.push(requests);
  }
  return rounds;
}

/** Spread over those that every engine knows; where there are none, over those of the first. */
function listUsers(engines: readonly [Engine, ...Engine[]]): string[] {
  const { users } = engines[0];
  const step = Math.max(1, Math.floor(users.size / REQUESTS_PER_ROUND));
  const spread = Array.from({ length: REQUESTS_PER_ROUND }, (_, n) => users.idAt((n * step) % users.size));
  const shared = spread.filter((id) => engines.every((engine) => engine.users.find(id) >= 0));
  return shared.length > 0 ? shared : spread;
}

async function ask(engine: Engine, userId: string): Promise<Sample> {
  const request = createRequest(engine, userId);
  const startedAt = performance.now();
  const { slate } = await recommend(request, engine);
  return { milliseconds: performance.now() - startedAt, degraded: slate.degraded.length > 0 };
}

/** Of the first scenario that starts from a user and is ranked by the model; else of the first that starts from one, or of the first. */
function createRequest({ scenarios, catalogue }: Engine, userId: string): RecommendationRequest {
  const all = [...scenarios.values()];
  const ofUsers = all.filter(({ basis = 'user' }) => basis === 'user');
  const { name, basis: kind = 'user' } =
    ofUsers.find(({ ranker }) => ranker === 'bundle') ?? ofUsers[0] ?? all[0]!;
  const subjects = { user: { userId }, nobody: NOBODY, item: { itemId: catalogue.entities.idAt(0) } };
  return { subject: subjects[kind], scenario: name, limit: 10, exclude: [], filters: [], explain: 'none' };
}

function summarise(rounds: readonly Sample[][][], engine = 0): TryOutFigures {
  const samples = rounds.map((requests) => requests.map((answers) => answers[engine]!));
  const sorted = samples.map((round) =>
    round.map(({ milliseconds }) => milliseconds).toSorted((a, b) => a - b),
  );
  const leastAt = (share: number): number =>
    Math.min(...sorted.map((times) => times[Math.ceil(share * times.length) - 1]!));
  const all = samples.flat();
  const degradedShare = all.filter(({ degraded }) => degraded).length / all.length;
  return { medianMs: leastAt(0.5), p99Ms: leastAt(0.99), degradedShare };
}
