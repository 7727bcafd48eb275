import { hash } from 'node:crypto';
import type { UserEvent } from '../../domain/event.js';

/** Bytes of the event id as it is: ids that begin with a time lie side by side, so that a commit of many writes few pages. */
const PREFIX_BYTES = 8;

/** Of the digest; two of 2^48 events have the same by a chance of one in 2^33. */
const DIGEST_BYTES = 16;

/**
 * The key that makes an event count once: of its id and its user, or its session where it has no user. 24 bytes, fewer for a short id, from which nobody can read who it was. Undefined for an event without an id.
 */
export function keyOfEvent({ eventId, userId, sessionId }: UserEvent): Buffer | undefined {
  if (eventId === undefined) return undefined;
  const owner = userId === undefined ? ['session', sessionId] : ['user', userId];
  const digest = hash('sha256', JSON.stringify([...owner, eventId]), 'buffer');
  return Buffer.concat([Buffer.from(eventId).subarray(0, PREFIX_BYTES), digest.subarray(0, DIGEST_BYTES)]);
}
