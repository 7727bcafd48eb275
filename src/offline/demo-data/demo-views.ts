import { SECONDS_PER_DAY } from '../../domain/time.js';
import type { SeededRandom } from '../../domain/seeded-random.js';
import type { DemoInteraction } from './demo-interactions.js';
import { DEMO_DAYS, DEMO_START, TASTE_LENGTH, type DemoItem } from './demo-world.js';

/** Components of an item's embedding. */
const EMBEDDING_LENGTH = 8;

const DAYS_PER_WEEK = 7;
const ACTIVITY_DAYS = 28;

/** What a model of another team, and the critics, make of a film. */
export interface DemoEmbedding {
  readonly item: DemoItem;
  /** The film's taste seen through a random projection, with noise. */
  readonly embedding: readonly number[];
  /** From 1 to 10; undefined for a film that no critic has seen. */
  readonly critics: number | undefined;
}

/** What somebody did in the four weeks before a Monday. */
export interface DemoActivity {
  /** Index into the users. */
  readonly user: number;
  /** Monday, 00:00 UTC, in Unix seconds. */
  readonly since: number;
  readonly films: number;
  /** First genre of most of these films; undefined where there are none. */
  readonly favouriteGenre: string | undefined;
}

/** One embedding per film, those that nobody has seen yet too. */
export function makeEmbeddings(items: readonly DemoItem[], random: SeededRandom): DemoEmbedding[] {
  const scale = 1 / Math.sqrt(TASTE_LENGTH);
  const projection = Array.from({ length: EMBEDDING_LENGTH }, () =>
    Array.from({ length: TASTE_LENGTH }, () => scale * random.normal()),
  );
  return items.map((item) => {
    const embedding = projection.map((weights) => {
      const exact = weights.reduce((sum, weight, at) => sum + weight * item.taste[at]!, 0);
      return exact + 0.05 * random.normal();
    });
    const score = 6 + 1.2 * item.appeal + 0.8 * random.normal();
    const isReviewed = random.uniform() < 0.85;
    const critics = Math.min(10, Math.max(1, Math.round(10 * score) / 10));
    return { item, embedding, critics: isReviewed ? critics : undefined };
  });
}

/** A row per person and Monday, from the first Monday after somebody's first film on. */
export function makeActivity(
  interactions: readonly DemoInteraction[],
  items: readonly DemoItem[],
): DemoActivity[] {
  const byUser = new Map<number, DemoInteraction[]>();
  for (const interaction of interactions) {
    const own = byUser.get(interaction.user);
    if (own === undefined) byUser.set(interaction.user, [interaction]);
    else own.push(interaction);
  }
  const mondays = Array.from(
    { length: DEMO_DAYS / DAYS_PER_WEEK - 1 },
    (_, week) => DEMO_START + (week + 1) * DAYS_PER_WEEK * SECONDS_PER_DAY,
  );
  return [...byUser].flatMap(([user, own]) =>
    mondays
      .filter((since) => own[0]!.timestamp < since)
      .map((since) => describeActivity(own, since, { user, items })),
  );
}

function describeActivity(
  own: readonly DemoInteraction[],
  since: number,
  options: { user: number; items: readonly DemoItem[] },
): DemoActivity {
  const from = since - ACTIVITY_DAYS * SECONDS_PER_DAY;
  const recent = own.filter(({ timestamp }) => timestamp >= from && timestamp < since);
  const counts = new Map<string, number>();
  for (const { item } of recent) {
    const [genre] = options.items[item]!.genres;
    counts.set(genre!, (counts.get(genre!) ?? 0) + 1);
  }
  const [favourite] = [...counts].sort(([a, films], [b, others]) => others - films || (a < b ? -1 : 1));
  return { user: options.user, since, films: recent.length, favouriteGenre: favourite?.[0] };
}
