import { SECONDS_PER_DAY } from '../../../domain/time.js';
import type { SeededRandom } from '../../../domain/seeded-random.js';
import { DEMO_DAYS, DEMO_START, GENRES, TASTE_LENGTH, type DemoItem, type DemoUser } from './demo-world.js';

/** Components of an item's embedding. */
const EMBEDDING_LENGTH = 8;

const DAYS_PER_WEEK = 7;
const ACTIVITY_WEEKS = 4;

/** The vector that a model of another team gives a film, and the score that critics give it. */
export interface DemoEmbedding {
  readonly item: DemoItem;
  /** The film's taste seen through a random projection, with noise. */
  readonly embedding: readonly number[];
  /** From 1 to 10; undefined for a film that no critic has seen. */
  readonly critics: number | undefined;
}

/** The trailers that a user watched in the four weeks before a Monday. */
export interface DemoActivity {
  /** Index into the users. */
  readonly user: number;
  /** Monday, 00:00 UTC, in Unix seconds. */
  readonly since: number;
  readonly trailers: number;
  /** Genre of most of these trailers; undefined where there are none. */
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

/**
 * A row per person and Monday of the weeks. Trailers follow the same tastes as films, but are drawn by themselves: nothing
 * here is made of the films that an evaluation asks for.
 */
export function makeActivity(users: readonly DemoUser[], random: SeededRandom): DemoActivity[] {
  return users.flatMap((person, user) => {
    const odds = GENRES.map((_, genre) => Math.exp(person.taste[genre]!));
    const weeks = Array.from({ length: DEMO_DAYS / DAYS_PER_WEEK }, () =>
      Array.from({ length: random.integer(4) }, () => drawGenre(odds, random)),
    );
    return weeks.slice(1).map((_, week) => {
      const seen = weeks.slice(Math.max(0, week + 1 - ACTIVITY_WEEKS), week + 1).flat();
      const since = DEMO_START + (week + 1) * DAYS_PER_WEEK * SECONDS_PER_DAY;
      return { user, since, trailers: seen.length, favouriteGenre: mostFrequent(seen) };
    });
  });
}

function drawGenre(odds: readonly number[], random: SeededRandom): number {
  let rest = random.uniform() * odds.reduce((sum, each) => sum + each, 0);
  return odds.findIndex((each) => (rest -= each) < 0);
}

/** Of genres that come equally often, the first by name. */
function mostFrequent(seen: readonly number[]): string | undefined {
  const counts = GENRES.map((_, genre) => seen.filter((each) => each === genre).length);
  return seen.length === 0 ? undefined : GENRES[counts.indexOf(Math.max(...counts))];
}
