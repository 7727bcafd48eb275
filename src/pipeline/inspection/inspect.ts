import type { CandidateSet } from '../../domain/candidate.js';
import { hasTrait } from '../../domain/errors.js';
import type { MoveReason } from '../../domain/slate.js';
import { orderByScore } from '../../domain/top-k.js';
import { explainRows } from '../arrange.js';
import type { Engine } from '../engine.js';
import type { Execution } from '../execution.js';
import { takeFallbackStages } from '../fall-back.js';
import { takeStages } from '../recommend.js';
import type { RecommendationRequest } from '../recommendation-request.js';
import { countAsked } from '../retrieve-candidates.js';
import type { StageResults } from '../stage-results.js';
import { changeScenario } from './change-scenario.js';
import { describeHistory, describeMoves, describeSources } from './describe-funnel.js';
import { explainScores, type ScoreExplanation } from './explain-score.js';
import {
  type Finding,
  judgeRanked,
  judgeRemoved,
  judgeUnfound,
  type LastShown,
  mergeAll,
} from './find-verdict.js';
import type {
  GroupContributions,
  InspectedCandidate,
  InspectedEntry,
  InspectedItem,
  InspectedPlace,
  InspectedRank,
  Inspection,
  InspectionRequest,
} from './inspection.js';
import { type Removals, watchRemovals } from './removals.js';
import { rankInSources } from './source-ranks.js';
import { createItemNaming } from './title-of.js';

/** What an inspection needs beside the engine. */
export interface InspectOptions extends Pick<Execution, 'prefetched'> {
  /** Is called between two items: others may go first. */
  readonly pause?: () => Promise<void>;
}

/** All that is known of one run when its items are explained. */
interface Inspected extends InspectOptions {
  readonly request: RecommendationRequest;
  readonly engine: Engine;
  readonly results: StageResults;
  readonly removals: Removals;
  readonly explanation: ScoreExplanation | undefined;
  readonly history: readonly InspectedEntry[];
  /** Rows of the candidate set by ranking. */
  readonly order: Int32Array;
  /** The place of each row by ranking, from 1. */
  readonly rankedAt: ReadonlyMap<number, number>;
  /** The place of each row that is shown, from 1. */
  readonly shownAt: ReadonlyMap<number, number>;
  /** The row of each candidate, by item index. */
  readonly rowOf: ReadonlyMap<number, number>;
}

/**
 * Runs a request through the stages that answer requests, and says how its answer came about: what each stage gave, and of the items that
 * are asked about what kept each away, or brought it where it is.
 * @throws ShortlistError as `recommend` does; INVALID_REQUEST for changes that the scenario cannot have
 */
export async function inspect(
  asked: InspectionRequest,
  engine: Engine,
  options: InspectOptions = {},
): Promise<Inspection> {
  const request: RecommendationRequest = { ...asked.request, explain: 'reasons' };
  const changed = changeScenario(engine, request.scenario, asked.changes);
  const { entities } = changed.catalogue;
  const items = asked.about.map((id) => entities.find(id));
  const removals = watchRemovals(
    items.filter((item) => item >= 0),
    entities.size,
  );
  const results = await run(request, changed, { ...options, removals });
  const explanation = await explainScores(results, { engine: changed, prefetched: options.prefetched });
  const order = orderByScore(results.ranked.scores);
  const inspected: Inspected = {
    ...options,
    request,
    engine: changed,
    results,
    removals,
    explanation,
    history: describeHistory(results, { request, engine: changed, prefetched: options.prefetched }),
    order,
    rankedAt: numberPlaces(order),
    shownAt: numberPlaces(results.selection.rows),
    rowOf: new Map(Array.from(results.candidates.items, (item, row) => [item, row])),
  };
  const explained = await explainItems(asked.about, inspected);
  return {
    release: asked.release,
    ...describeRun(inspected),
    ...(asked.listsCandidates && { candidates: describeCandidates(inspected) }),
    items: explained,
  };
}

/** As requests are answered: by the pipeline, or where that fails by what most people chose. */
async function run(
  request: RecommendationRequest,
  engine: Engine,
  { prefetched, removals }: InspectOptions & { removals: Removals },
): Promise<StageResults> {
  const reading = { prefetched, onRemoval: removals.listen };
  try {
    return await takeStages(request, engine, reading);
  } catch (cause) {
    if (!hasTrait(cause, 'slateFallback')) throw cause;
    removals.restart();
    return takeFallbackStages(request, engine, { ...reading, cause });
  }
}

function describeRun(inspected: Inspected): Omit<Inspection, 'release' | 'items' | 'candidates'> {
  const { request, engine, results, removals, explanation } = inspected;
  const { query, run: stages, candidates } = results;
  const obstacle = explanation === undefined ? whyUnscored(results) : explanation.obstacle();
  return {
    bundle: engine.manifest.version,
    scenario: request.scenario,
    answeredBy: query.scenario.name,
    strategy: query.history.items.length > 0 ? 'personalised' : 'cold-start',
    degraded: stages.degraded,
    history: inspected.history,
    rules: removals.effects,
    sources: describeSources(results, engine),
    stages: stages.records.map(({ stage, milliseconds, outcome }) => ({ stage, milliseconds, outcome })),
    moves: describeMoves(results),
    candidateCount: candidates.items.length,
    slate: describeSlate(inspected),
    ...(obstacle !== undefined && { withoutContributions: obstacle }),
  };
}

function whyUnscored({ query, run: { degraded } }: StageResults): string {
  const failed = degraded.find(({ stage }) => stage === 'ranking' || stage === 'pipeline');
  if (failed !== undefined)
    return `The ranker did not score the candidates (${failed.reason}): they stand in the order of fusion.`;
  return `The scenario ${query.scenario.name} has no ranker: candidates stand in the order of fusion, or of their only source.`;
}

function describeSlate({ engine, results }: Inspected): InspectedPlace[] {
  const { selection, candidates } = results;
  const nameOf = createItemNaming(engine.catalogue);
  return Array.from(selection.rows, (row, at) => ({
    ...nameOf(candidates.items[row]!),
    position: at + 1,
    score: selection.scores[at]!,
    reasons: selection.reasons?.[at] ?? [],
  }));
}

function describeCandidates(inspected: Inspected): InspectedCandidate[] {
  const { engine, results, order, shownAt } = inspected;
  const { candidates, ranked } = results;
  const { retrievals, ranks, items, fusionScores } = candidates;
  const nameOf = createItemNaming(engine.catalogue);
  return Array.from(order, (row, at) => {
    const found = retrievals.flatMap(({ source }, column): [string, number][] => {
      const rank = ranks[row * retrievals.length + column]!;
      return rank === 0 ? [] : [[source, rank]];
    });
    const shown = shownAt.get(row);
    return {
      ...nameOf(items[row]!),
      ranks: Object.fromEntries(found),
      fusion: fusionScores[row]!,
      score: ranked.scores[row]!,
      rankedAt: at + 1,
      ...(shown !== undefined && { shownAt: shown }),
    };
  });
}

/** From 1. */
function numberPlaces(rows: Int32Array): ReadonlyMap<number, number> {
  return new Map(Array.from(rows, (row, at) => [row, at + 1]));
}

/** What is found for all items at once. */
interface Together {
  readonly ranks: ReadonlyMap<number, readonly InspectedRank[]>;
  /** What moved each row, by row. */
  readonly reasons: ReadonlyMap<number, readonly MoveReason[]>;
  /** What the merge was made of. */
  readonly union: CandidateSet;
}

async function explainItems(about: readonly string[], inspected: Inspected): Promise<InspectedItem[]> {
  const known = about.map((id) => inspected.engine.catalogue.entities.find(id));
  const together = findTogether(known, inspected);
  const items: InspectedItem[] = [];
  for (const [at, itemId] of about.entries()) {
    const item = known[at]!;
    if (item < 0) items.push({ itemId, verdict: 'unknown_item', detail: 'The bundle has no such item.' });
    else items.push(await explainItem(item, together, inspected));
    await inspected.pause?.();
  }
  return items;
}

/** @param known item indexes, below 0 for what the bundle does not have */
function findTogether(known: readonly number[], { results, rowOf, removals }: Inspected): Together {
  const { candidates, ranked, query } = results;
  const eligible = known.filter((item) => item >= 0 && !removals.first.has(item));
  const ranks = rankInSources(eligible, candidates.retrievals, {
    eligible: query.eligible,
    asked: countAsked(query),
  });
  const rows = eligible.flatMap((item) => rowOf.get(item) ?? []);
  const reasons = explainRows(rows, ranked.scores, { items: candidates.items, query });
  return {
    ranks: new Map(eligible.map((item, at) => [item, ranks[at]!])),
    reasons: new Map(rows.map((row, at) => [row, reasons[at]!])),
    union: mergeAll(results),
  };
}

async function explainItem(
  item: number,
  { ranks, reasons, union }: Together,
  inspected: Inspected,
): Promise<InspectedItem> {
  const { engine, request, results, removals, rowOf } = inspected;
  const named = createItemNaming(engine.catalogue)(item);
  const removal = removals.first.get(item);
  if (removal !== undefined) {
    const entry = inspected.history.find(({ itemId }) => itemId === named.itemId);
    return {
      ...named,
      ...toFields(judgeRemoved(item, removal, { filters: request.filters, engine, entry })),
    };
  }
  const sources = ranks.get(item)!;
  const row = rowOf.get(item);
  if (row === undefined)
    return { ...named, ...toFields(judgeUnfound(item, sources, { ...results, union })), sources };
  return { ...named, ...(await explainRow(row, reasons.get(row)!, inspected)), sources };
}

async function explainRow(
  row: number,
  reasons: readonly MoveReason[],
  inspected: Inspected,
): Promise<Omit<InspectedItem, 'itemId'>> {
  const { results, explanation } = inspected;
  const { candidates, ranked, query } = results;
  const shownAt = inspected.shownAt.get(row);
  const rankedAt = inspected.rankedAt.get(row)!;
  const score = ranked.scores[row]!;
  const contributions = await contribute(row, inspected);
  const last = rankedAt > query.limit ? await describeLast(inspected) : undefined;
  const finding = judgeRanked(
    { rankedAt, shownAt, score, reasons, contributions },
    {
      candidates: candidates.items.length,
      limit: query.limit,
      last,
      broughtIn: countBroughtIn(rankedAt, inspected),
    },
  );
  return {
    ...toFields(finding),
    rankedAt,
    ...(shownAt !== undefined && { shownAt }),
    fusion: candidates.fusionScores[row]!,
    score,
    ...(explanation && { features: explanation.featuresOf(row) }),
    ...(contributions && { contributions }),
  };
}

/** How many of the shown items are ranked below a place. */
function countBroughtIn(place: number, { results, rankedAt }: Inspected): number {
  return results.selection.rows.filter((row) => rankedAt.get(row)! > place).length;
}

/** The last candidate that ranking alone shows. */
async function describeLast(inspected: Inspected): Promise<LastShown> {
  const { order, results } = inspected;
  const rankedAt = results.query.limit;
  const row = order[rankedAt - 1]!;
  return { rankedAt, score: results.ranked.scores[row]!, contributions: await contribute(row, inspected) };
}

async function contribute(row: number, { explanation }: Inspected): Promise<GroupContributions | undefined> {
  return explanation?.contributionsOf(row);
}

function toFields({ verdict, detail, rule }: Finding): Pick<InspectedItem, 'verdict' | 'detail' | 'rule'> {
  return { verdict, detail, ...(rule !== undefined && { rule }) };
}
