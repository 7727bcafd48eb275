import type { Settings } from '../../config/settings.js';
import { ShortlistError } from '../../domain/errors.js';
import type { ForgottenUsers } from '../../domain/forgetting.js';
import type { EventStore } from '../../events/event-store.js';
import { findEventType, parseEvents, type RefusedEvent } from '../../events/parse-events.js';
import type { EventMetrics } from '../../observability/metrics/event-metrics.js';
import { usersInList } from '../access/user-binding.js';
import type { HttpApp } from '../create-http-app.js';
import { describeBodyLimit } from '../problem.js';
import { EVENTS_EXAMPLES, EventsAnswer, EventsBody, EventsEnvelope } from '../schemas/events.js';
import { NoQuery } from '../schemas/parameters.js';
import { describeProblems, describeSuccess } from '../schemas/responses.js';

/** What `addEventsRoute` depends on. */
export interface EventsRouteParts {
  readonly store: EventStore;
  readonly settings: Pick<Settings['events'], 'maxBodyBytes' | 'maxAgeDays'>;
  /** Is told what was refused; the store counts the others. */
  readonly metrics: Pick<EventMetrics, 'countEvents'>;
  /** Says who asked to be forgotten. */
  readonly forgotten: ForgottenUsers;
}

/** Adds `POST /events`: a 202 says that what it counts as accepted is on the disk. */
export function addEventsRoute(
  app: HttpApp,
  { store, settings, metrics, forgotten }: EventsRouteParts,
): void {
  const { maxBodyBytes, maxAgeDays } = settings;
  const schema = {
    operationId: 'postEvents',
    tags: ['events'],
    summary: 'Tell what users did',
    description:
      'Each event is judged by itself. What is accepted is durable before the answer. When none can be kept, 400 says what is wrong with each.',
    body: EventsEnvelope,
    querystring: NoQuery,
    response: {
      202: describeSuccess(EventsAnswer, EVENTS_EXAMPLES),
      ...describeProblems(EVENTS_PROBLEMS, '/events'),
    },
  };
  const config = {
    scope: 'write',
    usersOf: usersInList('events'),
    documentedBody: EventsBody,
    // An event with an odd key takes no other one along.
    takesAnyKey: true,
  } as const;
  app.post('/events', { schema, bodyLimit: maxBodyBytes, config }, async (request, reply) => {
    const now = Date.now() / 1000;
    const { events, refused } = parseEvents(request.body.events, { now, maxAgeDays, forgotten });
    for (const { index } of refused) {
      metrics.countEvents(findEventType(request.body.events[index]) ?? 'none', 'refused', 1);
    }
    if (events.length === 0) throw nothingToKeep(refused);
    const keepings = await store.keep(events);
    const accepted = keepings.filter((keeping) => keeping === 'accepted').length;
    const answer: EventsAnswer = { accepted, duplicates: keepings.length - accepted, refused };
    return reply.code(202).header('cache-control', 'no-store').send(answer);
  });
}

function nothingToKeep(refused: readonly RefusedEvent[]): ShortlistError {
  const problems = refused.map(({ index, detail }) => `events/${index}: ${detail}`);
  return new ShortlistError('INVALID_REQUEST', 'None of these events can be kept:', { problems });
}

const EVENTS_PROBLEMS = {
  INVALID_REQUEST: 'None of these events can be kept:\n  - events/0: itemId is missing',
  PAYLOAD_TOO_LARGE: describeBodyLimit(1_048_576),
  UNSUPPORTED_MEDIA_TYPE: 'Unsupported Media Type',
  INTERNAL: 'Something went wrong on our side. Try again; when you report it, quote the request id.',
  EVENTS_UNAVAILABLE: 'Events cannot be kept now. Try again; when you report it, quote the request id.',
};
