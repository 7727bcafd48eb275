import { Type } from 'typebox';

/** Settings of the list of users who asked to be forgotten. */
export const Forgotten = Type.Object(
  {
    store: Type.Enum(['local', 'redis'], {
      description:
        'Where the list of users who asked to be forgotten is: `local`, a file that the processes of one machine share, or `redis`, the Redis of `redis.url`, which many machines share; `events.durability` and `events.syncTimeoutMs` hold for it too. docs/privacy.md describes it.',
      variable: 'SHORTLIST_FORGOTTEN_STORE',
      danger:
        'Nobody who is in the one is in the other: bring the entries along, or who asked before is known again.',
    }),
    folder: Type.String({
      minLength: 1,
      description:
        'Folder of a local list, relative to the working directory, on a disk of this machine; processes of the machine share it. Nobody can be read from it.',
      variable: 'SHORTLIST_FORGOTTEN_FOLDER',
      danger:
        'Without the list servers and commands know nobody who asked: keep it where it stays, and back it up by itself. `prepare`, `materialise` and the two `compact` commands need that of the servers.',
    }),
  },
  { additionalProperties: false },
);
