import { ShortlistError } from '../domain/errors.js';
import { NO_OVERRIDES, type Overrides } from '../rules/overrides.js';
import type { OverridesObserver, OverrideStore } from './override-store.js';

/** The overrides of a process: what is wrong leaves those that are in force. */
export interface OverrideHolder {
  /** What a store shows of them. */
  readonly view: Pick<OverrideStore, 'current' | 'problems' | 'adopt'>;
  /** Puts others in force, and nothing is wrong any more. */
  take(overrides: Overrides): void;
  /** Keeps those that are in force. */
  meet(problems: readonly string[]): void;
}

/** Begins without overrides. @param observer is told once of each change */
export function createOverrideHolder(observer: OverridesObserver): OverrideHolder {
  let current = NO_OVERRIDES;
  let problems: readonly string[] = [];
  let hasRead = false;

  function tell(met: readonly string[]): void {
    const isSame = met.join('\n') === problems.join('\n');
    problems = met;
    if (!isSame) observer.met(met);
  }

  /** The same document is the same object: what is bound to it stays. */
  function put(overrides: Overrides): void {
    if (overrides.version === current.version) return;
    current = overrides;
    observer.changed(overrides);
  }

  return {
    view: {
      current: () => current,
      problems: () => problems,
      adopt: (overrides) => {
        if (!hasRead) put(overrides);
      },
    },
    take: (overrides) => {
      hasRead = true;
      put(overrides);
      tell([]);
    },
    meet: tell,
  };
}

/** @throws ShortlistError INVALID_CONFIG with the problems, where there are some */
export function refuseProblems(problems: readonly string[]): void {
  if (problems.length === 0) return;
  throw new ShortlistError('INVALID_CONFIG', 'The overrides cannot be used:', { problems });
}

/**
 * The error of a document that somebody else has changed.
 * @param before the version that is there; undefined for what is no document
 */
export function overridesChanged({
  before,
  versions,
}: {
  before: string | undefined;
  versions: readonly string[];
}): ShortlistError {
  const what =
    before === undefined
      ? 'What the store has by now is wrong (GET /overrides says how), and no version that If-Match could name; `*` puts another in its place'
      : `The overrides are of version "${before}" by now, and If-Match names ${versions.map((version) => `"${version}"`).join(', ')}. Read them (GET /overrides), make the change in what is there, and send that with its ETag`;
  return new ShortlistError('OVERRIDES_CHANGED', `${what}. Nothing was changed.`);
}

/** The error of a document that cannot be kept. @param reason goes on after a colon */
export function overridesUnavailable(reason: string, options?: { cause?: unknown }): ShortlistError {
  return new ShortlistError(
    'OVERRIDES_UNAVAILABLE',
    `The overrides cannot be changed now, and those of before stay in force: ${reason.replace(/\.$/, '')}.`,
    options,
  );
}
