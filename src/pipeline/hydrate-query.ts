import type { ScenarioConfig } from '../config/scenario-config.js';
import type { EligibleItems } from '../domain/candidate.js';
import type { ContextValues } from '../domain/context.js';
import { ShortlistError } from '../domain/errors.js';
import { EMPTY_HISTORY, type History } from '../domain/history.js';
import type { Subject } from '../domain/subject.js';
import { checkFilters } from '../rules/filter-attributes.js';
import { findEligibleItems } from '../rules/rules.js';
import { chooseScenario, findScenario } from './choose-scenario.js';
import type { QueryEngine } from './engine.js';
import type { Prefetched } from './execution.js';
import type { RecommendationRequest } from './recommendation-request.js';

/** A request with everything that the stages after it read: serving, training and the drift reference all start from one. */
export interface Query {
  readonly subject: Subject;
  /** Index of the user; undefined for other subjects, and for a user that the bundle does not know. */
  readonly userIndex: number | undefined;
  /** What the subject did; empty for a cold start. */
  readonly history: History;
  /** The scenario that answers: of a cold start, the one written for it. */
  readonly scenario: ScenarioConfig;
  readonly context: ContextValues;
  readonly eligible: EligibleItems;
  /** Items that the answer shows at most. */
  readonly limit: number;
}

/**
 * Reads what a request means to a bundle: history, scenario, context, and the items that its rules leave.
 * @param prefetched what the caller has read already; the engine gives the rest
 * @throws ShortlistError UNKNOWN_SCENARIO, UNKNOWN_ATTRIBUTE, UNKNOWN_CONTEXT, INVALID_REQUEST for a context value of another type,
 * ITEM_NOT_FOUND
 */
export function hydrateQuery(
  request: RecommendationRequest,
  engine: QueryEngine,
  prefetched: Prefetched = {},
): Query {
  const { subject, filters, limit } = request;
  const { catalogue } = engine;
  const requested = findScenario(request.scenario, engine);
  checkFilters(filters, catalogue);
  const context = prefetched.context ?? engine.readContext(request.context ?? [], engine.clock());
  const history = prefetched.history ?? findHistory(subject, engine);
  const scenario = chooseScenario(requested, history, engine);
  const excluded = findKnownItems(request.exclude, engine);
  return {
    subject,
    userIndex: findUser(subject, engine),
    history,
    scenario,
    context,
    eligible: findEligibleItems(scenario.rules, { catalogue, history, excluded, filters }),
    limit,
  };
}

/**
 * The history of the subject of a request. "More like this item" is a recommendation to somebody whose whole
 * history is that item.
 * @throws ShortlistError ITEM_NOT_FOUND
 */
export function findHistory({ userId, itemId }: Subject, engine: QueryEngine): History {
  if (userId !== undefined) return engine.histories.find(userId);
  if (itemId === undefined) return EMPTY_HISTORY;
  const item = engine.catalogue.entities.find(itemId);
  if (item < 0) throw new ShortlistError('ITEM_NOT_FOUND', `There is no item '${itemId}'.`);
  return {
    items: Int32Array.of(item),
    timestamps: Float64Array.of(engine.knownUntil),
    values: Float32Array.of(1),
  };
}

function findUser({ userId }: Subject, { users }: QueryEngine): number | undefined {
  const user = userId === undefined ? -1 : users.find(userId);
  return user < 0 ? undefined : user;
}

/** The indexes of those ids that the catalogue has. */
function findKnownItems(ids: readonly string[], { catalogue }: QueryEngine): Int32Array {
  return Int32Array.from(ids.map((id) => catalogue.entities.find(id)).filter((item) => item >= 0));
}
