import type { GroupPopularity } from '../../../candidates/popular-in-group.js';
import type { AttributeColumn, EntityTable } from '../../../domain/catalogue.js';
import { historyOf, type Histories } from '../../../domain/history.js';
import { selectTopK, type ScoredItems } from '../../../domain/top-k.js';
import { countFilledRows } from './sparse-rows.js';

/** Options of `countGroupPopularity`. */
export interface GroupPopularityOptions {
  readonly itemCount: number;
  /** How many users of everybody stand beside those of a group: small groups are drawn towards what all take. */
  readonly priorUsers: number;
  /** How many of its most taken items each group keeps. */
  readonly itemsPerGroup: number;
  /** Values that fewer users have make no group. */
  readonly minimumUsers: number;
}

/**
 * Finds the items that the users of each attribute value take most. A group's score of an item is (takers in
 * the group + m · share of all active users who took it) / (active users of the group + m), m being the
 * prior; active is who has a history. Work and memory grow with the interactions and with groups × items
 * kept, not with groups × items.
 */
export function countGroupPopularity(
  histories: Histories,
  users: EntityTable,
  options: GroupPopularityOptions,
): GroupPopularity {
  const { itemCount, itemsPerGroup } = options;
  const groups = groupUsers(users, options);
  const shares = countShares(histories, itemCount);
  // What a group never took can only be among its best when it is among the best of all.
  const best = selectTopK(shares, { limit: itemsPerGroup, floor: 0 }).items;
  const scoreMembers = createGroupScorer(histories, { ...options, shares, best });
  const lists = listMembers(groups).map(scoreMembers);
  const { userOffsets, userGroups } = groups;
  return { itemCount, userOffsets, userGroups, ...joinLists(lists) };
}

/** True when at least one attribute value is shared by enough users. */
export function hasGroups(users: EntityTable, options: { minimumUsers: number }): boolean {
  return groupUsers(users, options).groupCount > 0;
}

interface UserGroups extends Pick<GroupPopularity, 'userOffsets' | 'userGroups'> {
  readonly groupCount: number;
}

/** Numbers the values that enough users have, and lists those of each user. */
function groupUsers(users: EntityTable, options: { minimumUsers: number }): UserGroups {
  let groupCount = 0;
  const columns = users.attributes.filter(makesGroups).map(({ coded }) => {
    const sizes = new Uint32Array(coded!.vocabulary.length);
    for (const code of coded!.codes) sizes[code]!++;
    const groupOf = Int32Array.from(sizes, (size) => (size >= options.minimumUsers ? groupCount++ : -1));
    return { coded: coded!, groupOf };
  });
  const userOffsets = new Uint32Array(users.entities.size + 1);
  const userGroups: number[] = [];
  for (let user = 0; user < users.entities.size; user++) {
    for (const { coded, groupOf } of columns) {
      for (const code of coded.codes.subarray(coded.offsets[user], coded.offsets[user + 1])) {
        if (groupOf[code]! >= 0) userGroups.push(groupOf[code]!);
      }
    }
    userOffsets[user + 1] = userGroups.length;
  }
  return { userOffsets, userGroups: Int32Array.from(userGroups), groupCount };
}

function makesGroups({ feature, role }: AttributeColumn): boolean {
  return feature && (role === 'categorical' || role === 'boolean');
}

/** User indexes per group. */
function listMembers({ userOffsets, userGroups, groupCount }: UserGroups): number[][] {
  const members = Array.from({ length: groupCount }, (): number[] => []);
  for (let user = 0; user + 1 < userOffsets.length; user++) {
    for (const group of userGroups.subarray(userOffsets[user], userOffsets[user + 1])) {
      members[group]!.push(user);
    }
  }
  return members;
}

/** Per item, the share of the active users who took it. */
function countShares(histories: Histories, itemCount: number): Float32Array {
  const takers = new Float64Array(itemCount);
  for (const item of histories.items) takers[item]!++;
  const active = countFilledRows(histories);
  return Float32Array.from(takers, (count) => count / Math.max(1, active));
}

/** Gives the best items of a group of users. Keeps its scratch memory from group to group. */
function createGroupScorer(
  histories: Histories,
  options: GroupPopularityOptions & { shares: Float32Array; best: Int32Array },
): (members: readonly number[]) => ScoredItems {
  const { itemCount, priorUsers, itemsPerGroup, shares, best } = options;
  const takers = new Uint32Array(itemCount);
  return (members) => {
    const touched = new Set(best);
    let active = 0;
    for (const user of members) {
      const { items } = historyOf(histories, user);
      if (items.length > 0) active++;
      for (const item of items) {
        takers[item]!++;
        touched.add(item);
      }
    }
    const candidates = Int32Array.from(touched).sort();
    const scores = Float32Array.from(
      candidates,
      (item) => (takers[item]! + priorUsers * shares[item]!) / (active + priorUsers),
    );
    for (const item of candidates) takers[item] = 0;
    const kept = selectTopK(scores, { limit: itemsPerGroup });
    return { items: kept.items.map((place) => candidates[place]!), scores: kept.scores };
  };
}

function joinLists(
  lists: readonly ScoredItems[],
): Pick<GroupPopularity, 'groupOffsets' | 'items' | 'scores'> {
  const groupOffsets = new Uint32Array(lists.length + 1);
  lists.forEach(({ items }, group) => (groupOffsets[group + 1] = groupOffsets[group]! + items.length));
  const items = new Int32Array(groupOffsets.at(-1)!);
  const scores = new Float32Array(items.length);
  lists.forEach((list, group) => {
    items.set(list.items, groupOffsets[group]);
    scores.set(list.scores, groupOffsets[group]);
  });
  return { groupOffsets, items, scores };
}
