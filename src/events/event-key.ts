import { hash } from 'node:crypto';
import type { UserEvent } from '../domain/event.js';

/** Bytes of the event id as it is: ids that begin with a time lie side by side, so that a commit of many writes few pages. */
const PREFIX_BYTES = 8;

/** Of the digest; two of 2^48 events have the same by a chance of one in 2^33. */
const DIGEST_BYTES = 16;

/** Whose an event is: its user, or its session where it has no user. The two never mix, whatever their ids. */
export function ownerOfEvent({ userId, sessionId }: UserEvent): readonly ['user' | 'session', string] {
  return userId === undefined ? ['session', sessionId!] : ['user', userId];
}

/** What makes an event count once: the SHA-256 of its id and its owner, from which nobody can read who it was. Undefined for an event without an id. */
export function digestOfEvent(event: UserEvent): Buffer | undefined {
  if (event.eventId === undefined) return undefined;
  return hash('sha256', JSON.stringify([...ownerOfEvent(event), event.eventId]), 'buffer');
}

/** The key of an event in a file, 24 bytes, fewer for a short id: its id at first, then its digest. Undefined for an event without an id. */
export function keyOfEvent(event: UserEvent): Buffer | undefined {
  const digest = digestOfEvent(event);
  if (digest === undefined) return undefined;
  return Buffer.concat([
    Buffer.from(event.eventId!).subarray(0, PREFIX_BYTES),
    digest.subarray(0, DIGEST_BYTES),
  ]);
}
