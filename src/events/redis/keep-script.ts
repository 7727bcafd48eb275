import { SECONDS_PER_DAY } from '../../domain/time.js';
import type { IdPlace } from './event-keys.js';
import { ENTRY_FIELD, SCORE_COUNTERS, SCORE_EPOCH } from './stream-entry.js';

/** An event to be written to a stream. */
export interface StreamWrite {
  /** The value of its entry. */
  readonly entry: string;
  /** Where its id is counted, and as what; undefined where it has none. */
  readonly id?: IdPlace | undefined;
}

/** A command with its arguments. */
export type RedisCommand = [name: string, ...args: (string | number | Buffer)[]];

/**
 * Writes events to a stream, each whose id was not counted before, and counts their ids: all of it, or nothing where a key holds something else.
 * KEYS: the stream; its closing key; the sets of ids. ARGV: days for which an id is known; for each event the number of its set among KEYS (0 without an id),
 * its id, its entry. It answers with `1` for each event that it wrote, and `0` for each that it knew.
 *
 * - Redis takes nothing of a script back, so all that a key can refuse is asked before the first write; it refuses for lack of memory or
 *   disk at the first one only. An event goes again where its id cannot be counted.
 * - An event that is known makes a write as well. WAITAOF waits for the latest write of its own connection, and the event may be of another
 *   one that was not synced yet.
 * - Of a script that it was killed in the middle of writing to its file, Redis may leave the first part there (seen with 7.0 and 8.2). It executes that
 *   at the start after the next one, with the next whole script, so an event may be in the stream twice: the score of an id is the entry that
 *   counts (`scoreOfEntry`). Without a whole script after it, it drops all that was written since. What a script writes is whole to it
 *   where it is more than one command: so each writes to the closing key too.
 * - Once a day a set is rid of ids that are old, by the clock of Redis.
 */
const KEEP = `
local function has_type(key, wanted)
  local type = redis.call('TYPE', key)['ok']
  return type == 'none' or type == wanted
end
if not has_type(KEYS[1], 'stream') then return redis.error_reply('WRONGTYPE ' .. KEYS[1] .. ' is no stream') end
for at = 3, #KEYS do
  if not has_type(KEYS[at], 'zset') then return redis.error_reply('WRONGTYPE ' .. KEYS[at] .. ' is no sorted set') end
end
local function score_of(milliseconds, counter)
  return (milliseconds - ${SCORE_EPOCH}) * ${SCORE_COUNTERS} + counter % ${SCORE_COUNTERS}
end
local seconds = tonumber(ARGV[1]) * ${SECONDS_PER_DAY}
local oldest = (tonumber(redis.call('TIME')[1]) - seconds) * 1000
local function renew(key)
  redis.call('EXPIRE', key, seconds + ${SECONDS_PER_DAY})
  redis.call('ZREMRANGEBYSCORE', key, '-inf', score_of(oldest, 0))
end
local kept = {}
for at = 2, #ARGV, 3 do
  local set = KEYS[tonumber(ARGV[at]) + 1]
  local has_id = ARGV[at] ~= '0'
  if has_id and redis.call('ZSCORE', set, ARGV[at + 1]) then
    renew(set)
    kept[#kept + 1] = '0'
  else
    local id = redis.call('XADD', KEYS[1], '*', '${ENTRY_FIELD}', ARGV[at + 2])
    if has_id then
      local milliseconds, counter = string.match(id, '^(%d+)-(%d+)$')
      local counted = redis.pcall('ZADD', set, score_of(tonumber(milliseconds), tonumber(counter)), ARGV[at + 1])
      if type(counted) == 'table' then
        redis.call('XDEL', KEYS[1], id)
        return counted
      end
      if redis.call('TTL', set) < seconds then renew(set) end
    end
    kept[#kept + 1] = '1'
  end
end
redis.call('SET', KEYS[2], '', 'EX', 60)
return table.concat(kept)`;

/** The command that keeps events of one stream; Redis does nothing else meanwhile. @param options.knownDays for which ids are known, at least */
export function keepCommand(
  [stream, closing]: readonly [stream: string, closing: string],
  writes: readonly StreamWrite[],
  { knownDays }: { knownDays: number },
): RedisCommand {
  const keys = [stream, closing, ...new Set(writes.flatMap(({ id }) => (id === undefined ? [] : [id.key])))];
  const places = new Map(keys.map((key, index) => [key, index]));
  const args = writes.flatMap(({ id, entry }) =>
    id === undefined ? ['0', '', entry] : [String(places.get(id.key)!), id.member, entry],
  );
  // Not by its digest: where Redis does not know that, the client sends it again, after what has to follow it.
  return ['eval', KEEP, keys.length, ...keys, knownDays, ...args];
}

/** Ends what a crash of Redis has left open in its file, so that what is written after it stays (see `KEEP`). @param closing the closing key of what is written next */
export function closeCommand(closing: string): RedisCommand {
  const script = `for _ = 1, 2 do redis.call('SET', KEYS[1], '', 'EX', 60) end`;
  return ['eval', script, 1, closing];
}
