import type * as Sqlite from 'node:sqlite';

/**
 * Gives `node:sqlite`, without the warning that Node 22 prints of it: that what we use of it is the same in every Node that is supported, tests
 * hold (docs/adr/0020-events-in-sqlite.md). Nothing else can warn meanwhile.
 */
export function loadSqlite(): typeof Sqlite {
  const warn = Object.getOwnPropertyDescriptor(process, 'emitWarning')!;
  process.emitWarning = () => undefined;
  try {
    return process.getBuiltinModule('node:sqlite');
  } finally {
    Object.defineProperty(process, 'emitWarning', warn);
  }
}
