import type { Catalogue } from '../domain/catalogue.js';
import { ShortlistError } from '../domain/errors.js';

/**
 * The attributes that a request asks the items to carry. Each text is the name of one, of several with commas between, or empty.
 * @returns undefined where it asks for none in particular
 * @throws ShortlistError UNKNOWN_ATTRIBUTE for one that answers do not show
 */
export function chooseFields(
  fields: readonly string[] | undefined,
  { attributes }: Catalogue,
): ReadonlySet<string> | undefined {
  if (fields === undefined) return undefined;
  const shown = new Set(attributes.filter((attribute) => attribute.shown).map(({ name }) => name));
  // A name may have a comma itself.
  const asked = new Set(
    fields.filter((text) => text !== '').flatMap((text) => (shown.has(text) ? [text] : text.split(','))),
  );
  const unknown = [...asked].find((name) => !shown.has(name));
  if (unknown === undefined) return asked;
  throw new ShortlistError(
    'UNKNOWN_ATTRIBUTE',
    `Cannot show '${unknown}'. Attributes that answers show: ${[...shown].join(', ') || 'none'}.`,
  );
}
