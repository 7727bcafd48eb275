/** Whom a recommendation is for: a user, or whoever looks at an item; without either id, nobody in particular. */
export interface Subject {
  /** Raw id. */
  readonly userId?: string;
  /** Raw id. */
  readonly itemId?: string;
}

/** The subject of what is the same for everybody. */
export const NOBODY: Subject = {};

/** Names a subject in cache keys: two subjects of one key get the same answers. */
export function keyOf({ userId, itemId }: Subject): string {
  if (userId !== undefined) return `user ${JSON.stringify(userId)}`;
  return itemId === undefined ? 'nobody' : `item ${JSON.stringify(itemId)}`;
}

/** The fields that name a subject in log lines. */
export function logFieldsOf({ userId, itemId }: Subject): { user?: string; item?: string } {
  return { ...(userId !== undefined && { user: userId }), ...(itemId !== undefined && { item: itemId }) };
}

/**
 * The id that sampling by share goes by. A user is sampled as a whole, so that the log has all or nothing of them; other subjects are
 * sampled request by request.
 */
export function samplingIdOf({ userId }: Subject, requestId: string): string {
  return userId ?? requestId;
}
