import { ShortlistError } from '../domain/errors.js';
import {
  EMPTY_HISTORY,
  type History,
  type LiveHistory,
  type TypedEntries,
  withoutTypes,
} from '../domain/history.js';
import { knowableUserOf } from '../domain/subject.js';
import type { QueryEngine } from './engine.js';
import { findKnownItems } from './find-known-items.js';
import { leastWeight, mergeHistory, type SubjectHistory } from './merge-history.js';
import type { GivenEntry, RecommendationRequest } from './recommendation-request.js';

/**
 * The history of the subject of a request: the bundle's, with what the subject did since and what the request says of this moment. "More like
 * this item" is a recommendation to somebody whose whole history is that item.
 * @param live what the subject did lately; without it and `sessionItems` the history is a view of the bundle's, without a copy
 * @throws ShortlistError ITEM_NOT_FOUND
 */
export function readHistory(
  { subject, sessionItems, history }: Pick<RecommendationRequest, 'subject' | 'sessionItems' | 'history'>,
  engine: QueryEngine,
  live?: LiveHistory,
): SubjectHistory {
  if (history !== undefined) return readGiven(history, engine);
  const bundled = readBundled(subject, engine);
  const touched = sessionItems === undefined ? NO_ITEMS : findKnownItems(sessionItems, engine);
  if (live === undefined && touched.length === 0) return bundled;
  return mergeHistory(bundled, { live, touched, ...engine });
}

const NO_ITEMS = new Int32Array(0);

/** What a request says in place of what is known. */
function readGiven(given: readonly GivenEntry[], engine: QueryEngine): SubjectHistory {
  const known = findGiven(given, engine);
  const value = leastWeight(engine.counting);
  const live = {
    items: Int32Array.from(known, ({ item }) => item),
    timestamps: Float64Array.from(known, ({ time }) => time),
    values: Float32Array.from(known, (entry) => entry.value ?? value),
    negative: new Uint8Array(known.length),
  };
  const nothing = { history: EMPTY_HISTORY, unwanted: EMPTY_HISTORY };
  return mergeHistory(nothing, { live, touched: NO_ITEMS, ...engine });
}

function findGiven(given: readonly GivenEntry[], { catalogue, knownUntil }: QueryEngine) {
  return given.flatMap((entry) => {
    const item = catalogue.entities.find(entry.itemId);
    return item < 0 ? [] : [{ ...entry, item, time: entry.time ?? knownUntil }];
  });
}

function readGivenTypes(given: readonly GivenEntry[], engine: QueryEngine): TypedEntries {
  const known = findGiven(given, engine);
  const names = [...new Set(known.flatMap(({ type }) => type ?? []))];
  return {
    items: Int32Array.from(known, ({ item }) => item),
    timestamps: Float64Array.from(known, ({ time }) => time),
    types: Int32Array.from(known, ({ type }) => (type === undefined ? -1 : names.indexOf(type))),
    names,
  };
}

/**
 * What the subject of a request did by type: as the bundle knows it, and lately. What the request says of this moment has no type, and is
 * not in it.
 */
export function readTyped(
  { subject, history }: Pick<RecommendationRequest, 'subject' | 'history'>,
  engine: QueryEngine,
  live?: LiveHistory,
): readonly TypedEntries[] {
  if (history !== undefined) return [readGivenTypes(history, engine)];
  const userId = knowableUserOf(subject);
  const bundled =
    userId === undefined
      ? withoutTypes(readBundled(subject, engine).history)
      : engine.histories.findTyped(userId);
  return live?.typed === undefined ? [bundled] : [bundled, live.typed];
}

function readBundled(
  subject: RecommendationRequest['subject'],
  { histories, catalogue, knownUntil }: QueryEngine,
): SubjectHistory {
  const userId = knowableUserOf(subject);
  if (userId !== undefined)
    return { history: histories.find(userId), unwanted: histories.findUnwanted(userId) };
  const { itemId } = subject;
  if (subject.userId !== undefined || subject.sessionId !== undefined || itemId === undefined)
    return { history: EMPTY_HISTORY, unwanted: EMPTY_HISTORY };
  const item = catalogue.entities.find(itemId);
  if (item < 0) throw new ShortlistError('ITEM_NOT_FOUND', `There is no item '${itemId}'.`);
  const history: History = {
    items: Int32Array.of(item),
    timestamps: Float64Array.of(knownUntil),
    values: Float32Array.of(1),
  };
  return { history, unwanted: EMPTY_HISTORY };
}
