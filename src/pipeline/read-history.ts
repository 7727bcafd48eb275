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
import { mergeHistory, type SubjectHistory } from './merge-history.js';
import type { RecommendationRequest } from './recommendation-request.js';

/**
 * The history of the subject of a request: the bundle's, with what the subject did since and what the request says of this moment. "More like
 * this item" is a recommendation to somebody whose whole history is that item.
 * @param live what the subject did lately; without it and `sessionItems` the history is a view of the bundle's, without a copy
 * @throws ShortlistError ITEM_NOT_FOUND
 */
export function readHistory(
  { subject, sessionItems }: Pick<RecommendationRequest, 'subject' | 'sessionItems'>,
  engine: QueryEngine,
  live?: LiveHistory,
): SubjectHistory {
  const bundled = readBundled(subject, engine);
  const touched = sessionItems === undefined ? NO_ITEMS : findKnownItems(sessionItems, engine);
  if (live === undefined && touched.length === 0) return bundled;
  return mergeHistory(bundled, { live, touched, ...engine });
}

const NO_ITEMS = new Int32Array(0);

/**
 * What the subject of a request did by type: as the bundle knows it, and lately. What the request says of this moment has no type, and is
 * not in it.
 */
export function readTyped(
  { subject }: Pick<RecommendationRequest, 'subject'>,
  engine: QueryEngine,
  live?: LiveHistory,
): readonly TypedEntries[] {
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
