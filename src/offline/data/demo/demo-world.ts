import type { SeededRandom } from '../../../domain/seeded-random.js';
import { makeTitles } from './demo-titles.js';

/** The genres of demo films. */
export const GENRES = [
  'Action',
  'Adventure',
  'Animation',
  'Comedy',
  'Crime',
  'Documentary',
  'Drama',
  'Fantasy',
  'Horror',
  'Romance',
  'Science Fiction',
  'Thriller',
] as const;

const COUNTRIES = ['Brazil', 'France', 'India', 'Japan', 'Mexico', 'United Kingdom'] as const;

/** First day: Monday 1 January 2024, 00:00 UTC, in Unix seconds. */
export const DEMO_START = 1_704_067_200;
/** Days that demo interactions span: sixteen weeks. */
export const DEMO_DAYS = 112;

const HIDDEN_TASTES = 6;

/** Length of a taste: one weight per genre, then tastes that no column tells. */
export const TASTE_LENGTH = GENRES.length + HIDDEN_TASTES;

/** A film of the demo dataset, with the traits that decide who watches it. */
export interface DemoItem {
  readonly id: string;
  readonly title: string;
  readonly year: number;
  readonly genres: readonly string[];
  readonly minutes: number;
  /** Day it can first be seen: 0 for most, DEMO_DAYS for cold items that nobody has seen yet. */
  readonly releaseDay: number;
  /** Log of how often it is chosen, tastes and trends aside. */
  readonly appeal: number;
  /** Its place among tastes: the nearer to a user's, the likelier it is watched. */
  readonly taste: Float64Array;
}

/** A user of the demo dataset, with the traits that decide what they watch. */
export interface DemoUser {
  readonly id: string;
  readonly age: number;
  readonly country: string;
  /** Interactions over all weeks; 0 for cold users. */
  readonly activity: number;
  /** Their place among tastes. */
  readonly taste: Float64Array;
}

/** Films: genres and a hidden part make their taste, a long tail their appeal; a fifth comes out during the weeks. */
export function makeItems(count: number, random: SeededRandom): DemoItem[] {
  const titles = makeTitles(count, random);
  return titles.map((title, index) => {
    const genres = drawGenres(random);
    const releaseDay = drawReleaseDay(random);
    const isNew = releaseDay > 0;
    return {
      id: `i${index + 1}`,
      title,
      year: isNew ? 2024 : 2023 - Math.floor(55 * random.uniform() ** 2),
      genres: genres.map((genre) => GENRES[genre]!),
      minutes: Math.round(70 + 35 * random.uniform() + 35 * random.uniform()),
      releaseDay,
      appeal: 1.15 * random.normal(),
      taste: itemTaste(genres, random),
    };
  });
}

/** People: country and age lean towards genres, the rest of their taste is their own. */
export function makeUsers(count: number, random: SeededRandom): DemoUser[] {
  const leanings = COUNTRIES.map(() => GENRES.map(() => 0.55 * random.normal()));
  return Array.from({ length: count }, (_, index) => {
    const country = random.integer(COUNTRIES.length);
    const age = Math.round(16 + 60 * random.uniform() * random.uniform() + 8 * random.uniform());
    const isCold = random.uniform() < 0.02;
    return {
      id: `u${index + 1}`,
      age,
      country: COUNTRIES[country]!,
      activity: isCold ? 0 : Math.min(250, Math.round(5 + Math.exp(3.05 + 0.8 * random.normal()))),
      taste: userTaste(age, { leaning: leanings[country]!, random }),
    };
  });
}

function drawGenres(random: SeededRandom): number[] {
  const genres = new Set([random.integer(GENRES.length)]);
  while (genres.size < 3 && random.uniform() < 0.5) genres.add(random.integer(GENRES.length));
  return [...genres].sort((a, b) => a - b);
}

function drawReleaseDay(random: SeededRandom): number {
  const draw = random.uniform();
  if (draw < 0.015) return DEMO_DAYS;
  return draw < 0.2 ? 1 + random.integer(DEMO_DAYS - 4) : 0;
}

function itemTaste(genres: readonly number[], random: SeededRandom): Float64Array {
  const taste = new Float64Array(TASTE_LENGTH);
  for (const genre of genres) taste[genre] = 1 / Math.sqrt(genres.length);
  for (let hidden = GENRES.length; hidden < TASTE_LENGTH; hidden++) taste[hidden] = 0.55 * random.normal();
  return taste;
}

function userTaste(age: number, options: { leaning: readonly number[]; random: SeededRandom }): Float64Array {
  const { leaning, random } = options;
  const isYoung = age < 30 ? 0.5 : -0.3;
  const byAge: Partial<Record<(typeof GENRES)[number], number>> = {
    Animation: isYoung,
    Horror: isYoung,
    Documentary: -isYoung,
    Drama: -isYoung,
  };
  const taste = new Float64Array(TASTE_LENGTH);
  GENRES.forEach((genre, index) => {
    taste[index] = leaning[index]! + (byAge[genre] ?? 0) + random.normal();
  });
  for (let hidden = GENRES.length; hidden < TASTE_LENGTH; hidden++) taste[hidden] = random.normal();
  return taste;
}
