import { listOverrideProblems, type OverridesDocument } from '../../config/override-config.js';
import { ShortlistError } from '../../domain/errors.js';
import type { IfMatch, OverrideStore, Replacement } from '../../overrides/override-store.js';
import type { OverrideCheck, Overrides } from '../../rules/overrides.js';
import type { BundleAdmin } from '../bundle-admin.js';

/** Shows and changes the overrides of a server. */
export interface OverridesAdmin {
  /** What is in force, and what there is to know of it. */
  read(): Promise<OverridesReport>;
  /**
   * Checks a document, also by the bundle in service, and puts it in force.
   * @param value whatever a client sent
   * @throws ShortlistError INVALID_REQUEST with all problems; OVERRIDES_CHANGED; OVERRIDES_UNAVAILABLE; NOT_READY where no bundle is open to check it
   */
  replace(value: unknown, ifMatch: IfMatch): Promise<OverridesReport & Pick<Replacement, 'before'>>;
}

/** Overrides in force. */
export interface OverridesReport extends Overrides {
  /** Items that the bundle in service does not have: a sentence for each override. */
  readonly warnings: readonly string[];
  /** Overrides that it cannot have, which do nothing: a sentence each. */
  readonly ineffective: readonly string[];
  /** Why these are not what the store has now; empty where they are. */
  readonly problems: readonly string[];
}

/** What an admin of overrides depends on. */
export interface OverridesAdminParts {
  readonly overrides: OverrideStore;
  readonly bundleAdmin: Pick<BundleAdmin, 'describe' | 'checkOverrides'>;
}

/** More problems than anybody reads at once. */
const MOST_PROBLEMS = 100;

/** Creates the admin of the overrides of a store. */
export function createOverridesAdmin({ overrides: store, bundleAdmin }: OverridesAdminParts): OverridesAdmin {
  async function check(value: unknown): Promise<{ document: OverridesDocument; found: OverrideCheck }> {
    const scenarios = bundleAdmin.describe()?.scenarios;
    if (scenarios === undefined) throw new ShortlistError('NOT_READY', 'No bundle is open yet.');
    refuse(listOverrideProblems(value, { origin: 'the body', scenarios }));
    const document = value as OverridesDocument;
    const found = await bundleAdmin.checkOverrides(document);
    refuse(found.ineffective);
    return { document, found };
  }

  return {
    read: async () => {
      const overrides = store.current();
      const isOpen = bundleAdmin.describe() !== undefined;
      const found = isOpen ? await bundleAdmin.checkOverrides(overrides.document) : undefined;
      return report(overrides, found, store.problems());
    },
    replace: async (value, ifMatch) => {
      const { document, found } = await check(value);
      const { before, after } = await store.replace(document, { ifMatch });
      return { ...report(after, found, []), before };
    },
  };
}

function report(
  { version, document }: Overrides,
  { unknown, ineffective }: OverrideCheck = { unknown: [], ineffective: [] },
  problems: readonly string[],
): OverridesReport {
  return { version, document, warnings: unknown, ineffective, problems };
}

function refuse(problems: readonly string[]): void {
  if (problems.length === 0) return;
  const rest = problems.length - MOST_PROBLEMS;
  throw new ShortlistError(
    'INVALID_REQUEST',
    'The overrides cannot be used, and those of before stay in force:',
    {
      problems: [...problems.slice(0, MOST_PROBLEMS), ...(rest > 0 ? [`and ${rest} more`] : [])],
    },
  );
}
