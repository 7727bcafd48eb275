import { ShortlistError } from '../domain/errors.js';
import { EMPTY_HISTORY, historyOf, type History } from '../domain/history.js';
import type { FallbackEngine } from './engine.js';
import type { Basis } from './recommendation-request.js';

/** Who or what a slate is for. */
export interface Subject {
  /** Raw id of the user or item; empty for nobody. */
  readonly id: string;
  /** Of a user the bundle knows. */
  readonly userIndex?: number;
  readonly kind: Basis['kind'];
  readonly history: History;
}

/**
 * Hydrates the subject of a request. An unknown user is normal: nobody in particular, with no history.
 * @throws ShortlistError ITEM_NOT_FOUND
 */
export function findSubject(basis: Basis, engine: FallbackEngine): Subject {
  if (basis.kind === 'nobody') return { id: '', kind: 'nobody', history: EMPTY_HISTORY };
  if (basis.kind === 'item') return findItemSubject(basis.itemId, engine);
  const userIndex = engine.users.find(basis.userId);
  if (userIndex < 0) return { id: basis.userId, kind: 'user', history: EMPTY_HISTORY };
  return { id: basis.userId, userIndex, kind: 'user', history: historyOf(engine.histories, userIndex) };
}

/** "More like this item" is a recommendation to somebody whose whole history is that item. */
function findItemSubject(itemId: string, engine: FallbackEngine): Subject {
  const item = engine.catalogue.entities.find(itemId);
  if (item < 0) throw new ShortlistError('ITEM_NOT_FOUND', `There is no item '${itemId}'.`);
  const history: History = {
    items: Int32Array.of(item),
    timestamps: Float64Array.of(engine.knownUntil),
    values: Float32Array.of(1),
  };
  return { id: itemId, kind: 'item', history };
}

/** The item indexes of those ids that the catalogue has. */
export function findKnownItems(ids: readonly string[], engine: FallbackEngine): Int32Array {
  return Int32Array.from(ids.map((id) => engine.catalogue.entities.find(id)).filter((item) => item >= 0));
}
