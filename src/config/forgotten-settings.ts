import { Type } from 'typebox';

/** Settings of the list of users who asked to be forgotten. */
export const Forgotten = Type.Object(
  {
    folder: Type.String({
      minLength: 1,
      description:
        'Folder of the list of users who asked to be forgotten, relative to the working directory, on a disk of this machine; processes of the machine share it. Nobody can be read from it. docs/privacy.md describes it.',
      variable: 'SHORTLIST_FORGOTTEN_FOLDER',
      danger:
        'Without the list servers and commands know nobody who asked: keep it where it stays, and back it up by itself. `prepare`, `materialise` and the two `compact` commands need that of the servers.',
    }),
  },
  { additionalProperties: false },
);
