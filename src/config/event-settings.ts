import { Type } from 'typebox';
import { bytes, milliseconds } from './setting-notes.js';

/** Settings of the events that apps send. */
export const Events = Type.Object(
  {
    enabled: Type.Boolean({
      description:
        'Whether `POST /events` takes events, and keeps them. docs/events.md describes it; `shortlist events compact` makes files of them, which training reads.',
      variable: 'SHORTLIST_EVENTS',
      danger: 'They name users by their ids, and the files grow until somebody removes what is old.',
    }),
    store: Type.Enum(['local', 'redis'], {
      description:
        'Where events are kept: `local`, a file that the processes of one machine share, or `redis`, the Redis of `redis.url`, which many machines share. docs/events.md says what each needs.',
      variable: 'SHORTLIST_EVENTS_STORE',
      danger:
        'What is in the one is not in the other: run `shortlist events compact` with the old value before you change it.',
    }),
    durability: Type.Enum(['required', 'memory'], {
      description:
        'In Redis: what becomes of events when Redis does not say that they are on its disk, because it writes none or is too slow. `required`: 503; `memory`: 202, a warning in the log and `shortlist_event_durability_lost`.',
      variable: 'SHORTLIST_EVENTS_DURABILITY',
      danger: 'With `memory`, a crash of Redis may lose events that were answered with 202.',
    }),
    folder: Type.String({
      minLength: 1,
      description:
        'Folder of the events, relative to the working directory, on a disk of this machine; several processes of the machine may share it.',
      variable: 'SHORTLIST_EVENTS_FOLDER',
      danger:
        'On a disk that goes with its container, events go too. A network file system is refused at the start.',
    }),
    maxBodyBytes: bytes(1024, 67_108_864, {
      description: 'Body of `POST /events` at most; 413 above.',
    }),
    maxAgeDays: Type.Integer({
      minimum: 1,
      maximum: 3650,
      unit: 'days',
      description:
        'An event that is older by its timestamp is refused. The id of an event that was taken is known for at least so long, so that it counts once.',
    }),
    syncMs: milliseconds(0, 1000, {
      description:
        'How long the first of the requests that wait to be written waits for others, to share its sync of the disk.',
      zero: 'it waits for nobody; those that come meanwhile share the next sync',
    }),
    syncTimeoutMs: milliseconds(10, 60_000, {
      description:
        'How long Redis has to sync its disk, once it was told of events. With `appendfsync everysec` a sync may take two seconds.',
    }),
    history: Type.Object(
      {
        maxItems: Type.Integer({
          minimum: 1,
          maximum: 10_000,
          unit: 'events',
          description:
            'So many of the latest events of a user, and of a session, count in their next recommendations.',
        }),
        days: Type.Integer({
          minimum: 1,
          maximum: 3650,
          unit: 'days',
          description:
            'Events count so long in recommendations by themselves, by their timestamps, and stay so long in the file that servers read; `shortlist events compact` removes older ones once they are in parquet.',
        }),
      },
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
);
