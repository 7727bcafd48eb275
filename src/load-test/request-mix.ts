import { bisect } from '../domain/bisect.js';
import type { LoadProfile } from '../config/load-profile.js';
import type { SeededRandom } from '../domain/seeded-random.js';

/** Gives the path and query of the next request. */
export type RequestMix = () => string;

/**
 * Requests for recommendations as the profile mixes them: who asks, how many items, in which scenario.
 *
 * @param options.userIds users that the target knows; may be empty when the mix has none of them
 */
export function createRequestMix(
  profile: Pick<LoadProfile, 'seed' | 'users' | 'hotUsers' | 'limits' | 'scenarios'>,
  options: { userIds: readonly string[]; random: SeededRandom },
): RequestMix {
  const { userIds, random } = options;
  const chooseKind = createChoice(Object.entries(profile.users), random);
  const chooseLimit = createChoice(Object.entries(profile.limits), random);
  const chooseScenario = createChoice(Object.entries(profile.scenarios), random);
  const chooseHot = createHotUsers(profile.hotUsers, options);
  let unknown = 0;
  const chooseUser = (): string => {
    const kind = chooseKind();
    if (kind === 'known') return userIds[random.integer(userIds.length)]!;
    if (kind === 'hot') return chooseHot();
    return `load-test-${profile.seed}-${unknown++}`;
  };
  return () =>
    `/recommendations/${encodeURIComponent(chooseUser())}?limit=${chooseLimit()}&scenario=${encodeURIComponent(chooseScenario())}`;
}

/** True for a mix that asks for users whom the target knows. */
export function needsKnownUsers({ users }: Pick<LoadProfile, 'users'>): boolean {
  return users.known + users.hot > 0;
}

/** Chooses by Zipf's law among `count` of the users, which the seed chooses. */
function createHotUsers(
  { count, exponent }: LoadProfile['hotUsers'],
  { userIds, random }: { userIds: readonly string[]; random: SeededRandom },
): () => string {
  const chosen = random.shuffle([...new Set(userIds)]).slice(0, count);
  return createChoice(
    chosen.map((id, position) => [id, (position + 1) ** -exponent] as const),
    random,
  );
}

/** Chooses a name with a probability in proportion to its weight. */
function createChoice(weights: readonly (readonly [string, number])[], random: SeededRandom): () => string {
  const sums: number[] = [];
  for (const [, weight] of weights) sums.push((sums.at(-1) ?? 0) + weight);
  const total = sums.at(-1) ?? 0;
  return () => weights[findAbove(random.uniform() * total, sums)]![0];
}

/** The first position whose sum is above the value; the last where none is. */
function findAbove(value: number, sums: readonly number[]): number {
  return bisect(sums.length - 1, (at) => sums[at]! <= value);
}
