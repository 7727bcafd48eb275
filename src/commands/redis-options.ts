import { Option } from 'commander';
import type { Settings } from '../config/settings.js';
import type { RedisConnectionOptions } from '../features/redis-connection.js';

/** `--view`; users are the only view that is served from Redis. */
export function createViewOption(): Option {
  return new Option('--view <name>', 'feature view').choices(['users']).default('users');
}

/** Nobody waits for an answer here, so a busy Redis gets more time than in serving. */
const TOOL_TIMEOUT_MS = 10_000;

export function toolConnectionOf({ url }: Settings['redis']): RedisConnectionOptions {
  return {
    url,
    connectTimeoutMs: TOOL_TIMEOUT_MS,
    commandTimeoutMs: TOOL_TIMEOUT_MS,
    socketTimeoutMs: TOOL_TIMEOUT_MS,
  };
}
