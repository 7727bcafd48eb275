import type { SeededRandom } from '../../../domain/seeded-random.js';
import { DEMO_DAYS, DEMO_START, GENRES, TASTE_LENGTH, type DemoItem, type DemoUser } from './demo-world.js';
import { SECONDS_PER_DAY } from '../../../domain/time.js';

/** One view; `value` from 1 (left early) to 5 (loved), 5 is of type `like`. */
export interface DemoInteraction {
  /** Index into the users. */
  readonly user: number;
  /** Index into the items. */
  readonly item: number;
  /** Unix seconds, whole. */
  readonly timestamp: number;
  readonly value: number;
}

/** How much more is watched on each day of a week that begins on Monday. */
const WEEKDAYS = [0.8, 0.75, 0.8, 0.9, 1.25, 1.5, 1.35];
/** Pull of the film seen last: what makes the end of a history tell more than its beginning. */
const LAST_WEIGHT = 1.3;
/** Younger people lean to newer films, older people to older ones; per 10 years of film age and 10 years of age. */
const ERA_WEIGHT = 0.08;

/** Factors of the odds that a film is chosen; a film's odds are their product. */
interface Odds {
  /** [days × items] how much a film is in the air. */
  readonly buzz: readonly Float64Array[];
  /** [items × items] pull of the film seen last. */
  readonly likeness: readonly Float64Array[];
}

/** Makes the interactions of all weeks, by time. Nobody watches a film twice, or before it comes out. */
export function makeInteractions(
  world: { users: readonly DemoUser[]; items: readonly DemoItem[] },
  random: SeededRandom,
  options: { onUser: () => void },
): DemoInteraction[] {
  const { users, items } = world;
  const odds: Odds = {
    buzz: makeBuzz(items, random),
    likeness: items.map((item) => makeLikeness(item, items)),
  };
  const interactions: DemoInteraction[] = [];
  for (const [user, person] of users.entries()) {
    for (const seen of watchFilms(person, random, { items, odds })) interactions.push({ user, ...seen });
    options.onUser();
  }
  return interactions.sort((a, b) => a.timestamp - b.timestamp || a.user - b.user);
}

/** Appeal, waves of the genres, releases that fade, comebacks that fade faster; 0 before a film is out. */
function makeBuzz(items: readonly DemoItem[], random: SeededRandom): Float64Array[] {
  const waves = GENRES.map(() => ({
    phase: 2 * Math.PI * random.uniform(),
    days: 25 + 60 * random.uniform(),
  }));
  const comebacks = items.map(() => (random.uniform() < 0.2 ? random.integer(DEMO_DAYS) : Infinity));
  return Array.from({ length: DEMO_DAYS }, (_, day) => {
    const wave = waves.map(({ phase, days }) => 0.7 * Math.sin(phase + (2 * Math.PI * day) / days));
    return Float64Array.from(items, (item, index) => {
      if (day < item.releaseDay) return 0;
      const release = item.releaseDay > 0 ? 2.6 * Math.exp(-(day - item.releaseDay) / 9) : 0;
      const sinceComeback = day - comebacks[index]!;
      const comeback = sinceComeback >= 0 ? 2.4 * Math.exp(-sinceComeback / 6) : 0;
      const inFashion = wave.reduce((sum, height, genre) => sum + height * item.taste[genre]!, 0);
      return Math.exp(item.appeal + release + comeback + inFashion);
    });
  });
}

function makeLikeness(last: DemoItem, items: readonly DemoItem[]): Float64Array {
  return Float64Array.from(items, (item) => Math.exp(LAST_WEIGHT * dot(last.taste, item.taste)));
}

function watchFilms(
  person: DemoUser,
  random: SeededRandom,
  options: { items: readonly DemoItem[]; odds: Odds },
): Omit<DemoInteraction, 'user'>[] {
  const { items, odds } = options;
  const liking = Float64Array.from(items, (item) => dot(person.taste, item.taste) + eraLiking(person, item));
  const unseenLiking = liking.map(Math.exp);
  const watched: Omit<DemoInteraction, 'user'>[] = [];
  for (const timestamp of drawTimes(person.activity, random)) {
    const buzz = odds.buzz[Math.floor((timestamp - DEMO_START) / SECONDS_PER_DAY)]!;
    const last = watched.at(-1)?.item;
    const item = drawItem(random, {
      unseenLiking,
      buzz,
      likeness: last === undefined ? undefined : odds.likeness[last],
    });
    if (item === undefined) break;
    unseenLiking[item] = 0;
    watched.push({ item, timestamp, value: drawValue(liking[item]!, random) });
  }
  return watched;
}

/** Times of one person, ascending: sittings of a few films, in the evening and more of them at weekends. */
function drawTimes(count: number, random: SeededRandom): number[] {
  const isThereFromTheStart = random.uniform() < 0.6;
  const firstDay = isThereFromTheStart ? 0 : random.integer(DEMO_DAYS - 14);
  const end = DEMO_START + DEMO_DAYS * SECONDS_PER_DAY;
  const times: number[] = [];
  while (times.length < count) {
    const day = firstDay + random.integer(DEMO_DAYS - firstDay);
    if (random.uniform() > WEEKDAYS[day % 7]! / 1.5) continue;
    const hour = 10 + 10 * Math.sqrt(random.uniform());
    let time = DEMO_START + day * SECONDS_PER_DAY + Math.floor(hour * 3600);
    for (let films = 1 + random.integer(4); films > 0 && times.length < count && time < end; films--) {
      times.push(time);
      time += 1200 + random.integer(5400);
    }
  }
  return times.sort((a, b) => a - b);
}

/** Draws an item with its odds; undefined when everything is seen. */
function drawItem(
  random: SeededRandom,
  options: { unseenLiking: Float64Array; buzz: Float64Array; likeness: Float64Array | undefined },
): number | undefined {
  const { unseenLiking, buzz, likeness } = options;
  const odds = new Float64Array(unseenLiking.length);
  let sum = 0;
  for (let item = 0; item < odds.length; item++) {
    odds[item] = unseenLiking[item]! * buzz[item]! * (likeness === undefined ? 1 : likeness[item]!);
    sum += odds[item]!;
  }
  let rest = random.uniform() * sum;
  for (let item = 0; item < odds.length; item++) if ((rest -= odds[item]!) < 0) return item;
  return undefined;
}

function drawValue(liking: number, random: SeededRandom): number {
  const joy = 1 / (1 + Math.exp(-(0.6 * liking + 0.9 * random.normal() - 0.9)));
  return Math.min(5, 1 + Math.floor(5 * joy));
}

function eraLiking(person: DemoUser, item: DemoItem): number {
  return ((-ERA_WEIGHT * (2024 - item.year)) / 10) * ((40 - person.age) / 10);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let position = 0; position < TASTE_LENGTH; position++) sum += a[position]! * b[position]!;
  return sum;
}
