import { Type } from 'typebox';
import { milliseconds } from './setting-notes.js';

/** Settings of the pins, hides and boosts that are changed without a deploy. */
export const OverridesSettings = Type.Object(
  {
    store: Type.Enum(['local', 'redis'], {
      description:
        'Where the document of overrides is: `local`, a file that the processes of one machine share, or `redis`, the key `overrides` behind `redis.keyPrefix` in the Redis of `redis.url`, which many machines share. docs/overrides.md describes it.',
      variable: 'SHORTLIST_OVERRIDES_STORE',
      danger: 'What is in the one is not in the other: put the document anew when you change it.',
    }),
    file: Type.String({
      minLength: 1,
      description:
        'The file of a local document, relative to the working directory; it is watched. Without the file there are no overrides.',
      variable: 'SHORTLIST_OVERRIDES_FILE',
      danger: 'A server does not start with a file that is wrong.',
    }),
    pollMs: milliseconds(50, 60_000, {
      description: 'A server that runs has taken a changed document after so long at most.',
      danger:
        'Each process looks twice in that time: a call of the system for a file, a read of one field for Redis.',
    }),
  },
  { additionalProperties: false },
);
