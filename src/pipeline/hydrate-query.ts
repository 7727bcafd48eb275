import type { ScenarioConfig } from '../config/scenario-config.js';
import type { EligibleItems } from '../domain/candidate.js';
import type { ContextValues } from '../domain/context.js';
import { withoutTypes, type History, type TypedEntries } from '../domain/history.js';
import { knowableUserOf, type Subject } from '../domain/subject.js';
import { checkExcluded } from '../rules/exclude-items.js';
import { checkFilters } from '../rules/check-filters.js';
import type { RuleMoment } from '../rules/rule-facts.js';
import { findEligibleItems, type ScenarioRules } from '../rules/rules.js';
import { chooseFields } from './choose-fields.js';
import { chooseScenario, findScenario } from './choose-scenario.js';
import type { QueryEngine } from './engine.js';
import type { Execution } from './execution.js';
import { findKnownItems } from './find-known-items.js';
import { findNamedCandidates, type NamedCandidates } from './find-named-candidates.js';
import { readHistory, readTyped } from './read-history.js';
import type { RecommendationRequest } from './recommendation-request.js';

/** A request with everything that the stages after it read: serving, training and the drift reference all start from one. */
export interface Query {
  readonly subject: Subject;
  /** Index of the user; undefined for other subjects, and for a user that the bundle does not know, or has to forget. */
  readonly userIndex: number | undefined;
  /** What the subject did; empty for a cold start. */
  readonly history: History;
  /** The same by type, what the bundle knows first; what is of this moment has no type. */
  readonly typed: () => readonly TypedEntries[];
  /** The scenario that answers: of a cold start, the one written for it. */
  readonly scenario: ScenarioConfig;
  /** Those of the scenario that was asked for, whichever answers. */
  readonly rules: ScenarioRules;
  readonly context: ContextValues;
  /** What conditions of rules are about. */
  readonly moment: RuleMoment;
  /** Item indexes that earlier pages showed, in order; -1 for one that the bundle does not have. */
  readonly shown: readonly number[];
  readonly eligible: EligibleItems;
  /** The candidates that the request names: no others are ranked. */
  readonly named?: NamedCandidates | undefined;
  /** Items that the answer shows at most. */
  readonly limit: number;
  /** Attributes that the items carry; all that answers show where it is absent. */
  readonly fields?: ReadonlySet<string> | undefined;
}

/**
 * Reads what a request means to a bundle: history, scenario, context, and the items that its rules leave.
 * @param execution what the caller has read already, the engine gives the rest; and who is told what takes items out
 * @throws ShortlistError UNKNOWN_SCENARIO, UNKNOWN_ATTRIBUTE, UNKNOWN_CONTEXT, INVALID_REQUEST for a context value or a filter of another type
 * and for several ids given as one, ITEM_NOT_FOUND
 */
export function hydrateQuery(
  request: RecommendationRequest,
  engine: QueryEngine,
  { prefetched = {}, onRemoval }: Pick<Execution, 'prefetched' | 'onRemoval'> = {},
): Query {
  const { subject, filters, limit } = request;
  const { catalogue } = engine;
  const requested = findScenario(request.scenario, engine);
  checkFilters(filters, catalogue);
  checkExcluded(request.exclude, catalogue);
  const now = engine.clock();
  const context = prefetched.context ?? engine.readContext(request.context ?? [], now);
  const { history, unwanted } = readHistory(request, engine, prefetched.live);
  const scenario = chooseScenario(requested, history, engine);
  const rules = engine.rules.get(requested.name)!;
  const moment = { scenario: requested.name, context, now, tired: prefetched.tired };
  const shown = findShownItems(request.shown ?? [], engine);
  const touched = findKnownItems(request.sessionItems ?? [], engine);
  const typed = () => readTyped(request, engine, prefetched.live);
  const eligible = findEligibleItems(
    rules.eligibility,
    {
      catalogue,
      history,
      typed,
      touched,
      unwanted: unwanted.items,
      shown: shown.all,
      excluded: findKnownItems(request.exclude, engine),
      filters,
      placements: new Set([requested.filters, scenario.filters]),
      moment,
    },
    { onRemoval, mask: engine.masks?.take() },
  );
  return {
    subject,
    userIndex: findUser(subject, engine),
    history,
    typed: () => [...typed(), ofThisMoment(touched, engine)],
    scenario,
    rules,
    context,
    moment,
    shown: shown.inOrder,
    eligible,
    named: findNamedCandidates(request, eligible, engine),
    limit,
    fields: chooseFields(request.fields, catalogue),
  };
}

function ofThisMoment(items: Int32Array, { knownUntil }: QueryEngine): TypedEntries {
  return withoutTypes({ items, timestamps: new Float64Array(items.length).fill(knownUntil) });
}

function findUser(subject: Subject, { users }: QueryEngine): number | undefined {
  const userId = knowableUserOf(subject);
  const user = userId === undefined ? -1 : users.find(userId);
  return user < 0 ? undefined : user;
}

/** Of items whose ids have the same hash all count as shown, and the first stands for what was. */
function findShownItems(
  hashes: readonly number[],
  { catalogue }: QueryEngine,
): { all: readonly number[]; inOrder: readonly number[] } {
  const found = hashes.map((hash) => catalogue.entities.findHash(hash));
  return { all: found.flat(), inOrder: found.map(([item = -1]) => item) };
}
