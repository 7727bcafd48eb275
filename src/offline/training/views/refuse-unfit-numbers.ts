import type { AttributeColumn } from '../../../domain/catalogue.js';
import { ShortlistError } from '../../../domain/errors.js';
import type { PreparedDataset } from '../../data/prepared-dataset.js';

/** Features are float32, up to 3.4e38, and some are the difference of two values. */
const LARGEST = 1e38;

/**
 * Refuses numbers that would be infinite as features, before anything is trained on them.
 * @throws ShortlistError INVALID_DATASET naming each column with its first such number
 */
export function refuseUnfitNumbers({ catalogue, users }: PreparedDataset): void {
  const problems = [...listUnfit('items', catalogue.attributes), ...listUnfit('users', users.attributes)];
  if (problems.length === 0) return;
  throw new ShortlistError(
    'INVALID_DATASET',
    `The ranker reads numbers up to ±${LARGEST}. Scale these columns in the SQL of the dataset, or set \`feature: false\`:`,
    { problems },
  );
}

function listUnfit(table: 'items' | 'users', attributes: readonly AttributeColumn[]): string[] {
  return attributes
    .filter(({ feature, role }) => feature && role === 'numeric')
    .flatMap(({ name, values }) => {
      const unfit = values.find((value) => typeof value === 'number' && Math.abs(value) > LARGEST);
      return unfit === undefined ? [] : [`${table}, column ${name}: ${unfit as number}`];
    });
}
