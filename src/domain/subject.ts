/**
 * Whom a recommendation is for: a user, a visitor (a session that has no user yet), or whoever looks at an item; without any id, nobody in
 * particular. A user may have a session too: what was done in it before logging in.
 */
export interface Subject {
  /** Raw id. */
  readonly userId?: string;
  /** The user asked to be forgotten: what a bundle, or a store of rows, still has of them does not count. */
  readonly isForgotten?: boolean;
  /** Raw id, the visitor's secret. */
  readonly sessionId?: string;
  /** Raw id. */
  readonly itemId?: string;
}

/** The subject of what is the same for everybody. */
export const NOBODY: Subject = {};

/**
 * Names a subject in cache keys: two subjects of one key get the same answers, as long as their live histories are the same. A session and
 * a user of one id have two keys, and so has a user before and after being forgotten: what was kept of before is not found any more.
 */
export function keyOf({ userId, isForgotten, sessionId, itemId }: Subject): string {
  if (userId !== undefined)
    return `${isForgotten === true ? 'forgotten ' : ''}user ${JSON.stringify(userId)}`;
  if (sessionId !== undefined) return `session ${JSON.stringify(sessionId)}`;
  return itemId === undefined ? 'nobody' : `item ${JSON.stringify(itemId)}`;
}

/** The user whom a bundle may know; undefined for one who is to be unknown to it, and for other subjects. */
export function knowableUserOf({ userId, isForgotten }: Subject): string | undefined {
  return isForgotten === true ? undefined : userId;
}

/** The fields that name a subject in log lines. */
export function logFieldsOf({ userId, sessionId, itemId }: Subject): {
  user?: string;
  session?: string;
  item?: string;
} {
  return {
    ...(userId !== undefined && { user: userId }),
    ...(sessionId !== undefined && { session: sessionId }),
    ...(itemId !== undefined && { item: itemId }),
  };
}

/**
 * The id of somebody who comes back, which shares go by: a user or a visitor, who are two even where their ids are the same. Undefined where
 * the subject is nobody in particular.
 */
export function visitorIdOf({ userId, sessionId }: Subject): string | undefined {
  return userId ?? (sessionId === undefined ? undefined : `session ${sessionId}`);
}

/**
 * The id that sampling by share goes by. A user or a visitor is sampled as a whole, so that the log has all or nothing of them; other
 * subjects are sampled request by request.
 */
export function samplingIdOf(subject: Subject, requestId: string): string {
  return visitorIdOf(subject) ?? requestId;
}
