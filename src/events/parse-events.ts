import { showValue } from '../config/show-value.js';
import { BLANK_CHARACTER, ID_CHARACTER, isAskable, isWholeText, LONGEST_ID } from '../domain/entity-id.js';
import { MOST_SECONDS_AHEAD, type UserEvent } from '../domain/event.js';
import { type ForgottenUsers, isLeftOut } from '../domain/forgetting.js';
import { parseIsoTime } from '../domain/parse-iso-time.js';
import { SLATE_ID_PATTERN } from '../domain/slate.js';

/** A list of events, read: those that can be kept, in their order, and what is wrong with each other one. */
export interface ParsedEvents {
  readonly events: readonly UserEvent[];
  readonly refused: readonly RefusedEvent[];
}

/** An event that cannot be kept. */
export interface RefusedEvent {
  /** Its place in the list, from 0. */
  readonly index: number;
  /** Everything that is wrong with it, for a person. */
  readonly detail: string;
}

/** Options of `parseEvents`. */
export interface ParsedEventsOptions {
  /** Unix seconds: the time of events that say none. */
  readonly now: number;
  /** Events of before are refused. */
  readonly maxAgeDays: number;
  /** Users who asked to be forgotten: what they did before is refused. */
  readonly forgotten?: ForgottenUsers | undefined;
}

/** Fields of the request context that one event may have. */
export const MOST_CONTEXT_FIELDS = 50;

/** What the fields of an event look like, as JSON Schema and these functions have it. */
export const EVENT_PATTERNS = {
  eventId: '^[!-~]{1,128}$',
  entityId: `^(?!${BLANK_CHARACTER}*$)${ID_CHARACTER}{1,${LONGEST_ID}}$`,
  type: '^[a-z][a-z0-9_-]{0,63}$',
  slateId: SLATE_ID_PATTERN,
  contextField: '^[A-Za-z][A-Za-z0-9_]{0,63}$',
} as const;

/** What an id of a user, a session or an item may be, in words. */
export const ENTITY_ID_ALLOWED = `text of 1 to ${LONGEST_ID} characters, not blanks alone, no control characters`;

/**
 * Reads events as apps tell them. Each is judged by itself: a bad one is refused by its place and takes no other one along.
 * `timestamp` is ISO 8601 or Unix seconds.
 * @param given parsed JSON
 */
export function parseEvents(given: readonly unknown[], options: ParsedEventsOptions): ParsedEvents {
  const events: UserEvent[] = [];
  const refused: RefusedEvent[] = [];
  given.forEach((entry, index) => {
    const problems: string[] = [];
    const event = parseEvent(entry, options, problems);
    if (event !== undefined && problems.length === 0) events.push(event);
    else refused.push({ index, detail: problems.join('; ') });
  });
  return { events, refused };
}

/** What is told of an event that may be anything that JSON can say. */
interface GivenEvent extends Partial<Omit<UserEvent, 'time'>> {
  readonly timestamp?: unknown;
}

function parseEvent(entry: unknown, options: ParsedEventsOptions, problems: string[]): UserEvent | undefined {
  if (!isObject(entry)) {
    problems.push('it is not a JSON object');
    return undefined;
  }
  refuseOtherKeys(entry, problems);
  for (const [name, { allows, allowed, isSecret = false }] of Object.entries(FIELDS)) {
    const value = entry[name];
    if (value !== undefined && !allows(value))
      problems.push(
        `${name} is ${isSecret ? 'wrong (it is a secret, and not shown)' : showValue(value)}, allowed is ${allowed}`,
      );
  }
  for (const name of REQUIRED) if (entry[name] === undefined) problems.push(`${name} is missing`);
  if (entry['userId'] === undefined && entry['sessionId'] === undefined) {
    problems.push('userId and sessionId are missing, and at least one of them has to be there');
  }
  const { timestamp, ...event } = entry as GivenEvent;
  // With a problem it is no event, and nobody takes it for one.
  const parsed = { ...(event as UserEvent), time: parseTime(timestamp, options, problems) };
  if (problems.length === 0) refuseForgotten(parsed, options, problems);
  return parsed;
}

function refuseForgotten(event: UserEvent, { forgotten }: ParsedEventsOptions, problems: string[]): void {
  if (forgotten === undefined || !isLeftOut(event, forgotten)) return;
  const at = new Date(forgotten.find(event.userId!)! * 1000).toISOString();
  problems.push(
    `the user asked to be forgotten at ${at}, and what is of before that, or of the minute after it, is not kept`,
  );
}

/** The type that an event says, where it is one that can be kept. */
export function findEventType(entry: unknown): string | undefined {
  const type = isObject(entry) ? entry['type'] : undefined;
  return isEventType(type) ? type : undefined;
}

const REQUIRED = ['itemId', 'type'] as const;

interface Field {
  readonly allowed: string;
  readonly allows: (value: unknown) => boolean;
  /** No message shows its value. */
  readonly isSecret?: boolean;
}

const ID: Field = {
  allowed: ENTITY_ID_ALLOWED,
  allows: (value) => isEntityId(value) && isWholeText(value),
};

const isEventType = like(EVENT_PATTERNS.type);
const isEntityId = like(EVENT_PATTERNS.entityId);

const FIELDS: Readonly<Record<string, Field>> = {
  eventId: { allowed: '1 to 128 visible ASCII characters', allows: like(EVENT_PATTERNS.eventId) },
  userId: ID,
  sessionId: { ...ID, isSecret: true },
  itemId: ID,
  type: {
    allowed: '1 to 64 lower-case letters, digits, - and _, a letter first',
    allows: isEventType,
  },
  value: { allowed: 'a number', allows: Number.isFinite },
  slateId: { allowed: 'the slateId of an answer', allows: like(EVENT_PATTERNS.slateId) },
  context: {
    allowed: `an object of at most ${MOST_CONTEXT_FIELDS} fields, each text, a number, true or false`,
    allows: isContext,
  },
};

const KNOWN = [...Object.keys(FIELDS), 'timestamp'];

function like(pattern: string): (value: unknown) => value is string {
  const expression = new RegExp(pattern, 'u');
  return (value): value is string => typeof value === 'string' && expression.test(value);
}

function isContext(value: unknown): boolean {
  if (!isObject(value)) return false;
  const entries = Object.entries(value);
  return (
    entries.length <= MOST_CONTEXT_FIELDS &&
    entries.every(([name, field]) => isContextField(name) && isContextValue(field))
  );
}

const isContextField = like(EVENT_PATTERNS.contextField);

function isContextValue(value: unknown): boolean {
  if (typeof value === 'string') return isAskable(value);
  return typeof value === 'boolean' || Number.isFinite(value);
}

const MOST_NAMED = 3;

/** Names a few: a body of nothing but other keys would have an answer many times its size. */
function refuseOtherKeys(entry: Readonly<Record<string, unknown>>, problems: string[]): void {
  const others = Object.keys(entry).filter((key) => !KNOWN.includes(key));
  if (others.length === 0) return;
  const named = others.slice(0, MOST_NAMED).map(showValue).join(', ');
  const more = others.length > MOST_NAMED ? ` and ${others.length - MOST_NAMED} more` : '';
  const verb = others.length === 1 ? 'is not a key' : 'are not keys';
  problems.push(`${named}${more} ${verb} of an event; known are ${KNOWN.join(', ')}`);
}

/** As a number of seconds, the year 5138: what is meant as milliseconds lies after it. */
const SURELY_MILLISECONDS = 100_000_000_000;

function parseTime(timestamp: unknown, { now, maxAgeDays }: ParsedEventsOptions, problems: string[]): number {
  if (timestamp === undefined) return now;
  const seconds = typeof timestamp === 'string' ? parseIsoTime(timestamp) : timestamp;
  const refuse = (allowed: string): void => {
    problems.push(`timestamp is ${showValue(timestamp)}, allowed is ${allowed}`);
  };
  if (typeof seconds !== 'number' || !Number.isFinite(seconds)) {
    refuse('ISO 8601, or a number of Unix seconds');
    return now;
  }
  if (seconds >= SURELY_MILLISECONDS) refuse('Unix seconds, and this looks like milliseconds');
  else if (seconds > now + MOST_SECONDS_AHEAD) {
    const clock = new Date(now * 1000).toISOString();
    refuse(`at most ${MOST_SECONDS_AHEAD} s ahead of now, ${clock}; a time without a zone is UTC`);
  } else if (seconds < now - maxAgeDays * SECONDS_OF_A_DAY) refuse(`at most ${maxAgeDays} days ago`);
  return seconds;
}

const SECONDS_OF_A_DAY = 86_400;

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
