import type { Settings } from '../config/settings.js';
import type { RedisConnectionOptions } from '../features/redis-connection.js';

/** Nobody waits for an answer here, so a busy Redis gets more time than in serving. */
const TOOL_TIMEOUT_MS = 10_000;

/** The connection of commands other than `serve` to the Redis of the settings. */
export function toolConnectionOf({ url, keyPrefix }: Settings['redis']): RedisConnectionOptions {
  return {
    url,
    keyPrefix,
    connectTimeoutMs: TOOL_TIMEOUT_MS,
    commandTimeoutMs: TOOL_TIMEOUT_MS,
    socketTimeoutMs: TOOL_TIMEOUT_MS,
  };
}
