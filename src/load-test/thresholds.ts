import type { LoadLimits } from '../config/load-profile.js';
import type { LoadTestResult, ThresholdResult, WindowResult } from './load-test-result.js';
import type { Recent } from './recorder.js';

/** Compares a run with each threshold of its profile. */
export function judgeThresholds(
  { p99Ms, errorShare, degradedShare }: LoadLimits,
  { latencyMs, requests }: Pick<LoadTestResult, 'latencyMs' | 'requests'>,
): ThresholdResult[] {
  return [
    ...judge('p99Ms', p99Ms, latencyMs?.p99 ?? null),
    ...judge('errorShare', errorShare, requests.errorShare),
    ...judge('degradedShare', degradedShare, requests.degradedShare),
  ];
}

function judge(name: string, limit: number | undefined, value: number | null): ThresholdResult[] {
  return limit === undefined ? [] : [{ name, limit, value, passed: value !== null && value <= limit }];
}

/** How many takes in a row must be over a limit: one may be a garbage collection. */
const PATIENCE = 3;

/** Says, of one take of recent requests after the other, why a run should stop; undefined while it should go on. */
export function createStopRule(limits: LoadLimits): (recent: Recent) => string | undefined {
  let over = 0;
  return (recent) => {
    const reason = findExcess(limits, recent);
    over = reason === undefined ? 0 : over + 1;
    return over >= PATIENCE ? reason : undefined;
  };
}

/**
 * The window in which a stopped run began to be over its limits and stayed so: the first of the windows
 * before its end that all are. By intended time, so it is before the stop, which had to wait for answers that
 * did not come.
 */
export function findFirstExcess(limits: LoadLimits, windows: readonly WindowResult[]): WindowResult {
  let first = windows.length - 1;
  while (
    first > 0 &&
    findExcess(limits, { ...windows[first - 1]!, ended: windows[first - 1]!.sent }) !== undefined
  )
    first -= 1;
  return windows[first]!;
}

function findExcess(limits: LoadLimits, { ended, failed, degraded, p99Ms }: Recent): string | undefined {
  if (ended === 0) return undefined;
  const good = Math.max(1, ended - failed);
  const values = { p99Ms, errorShare: failed / ended, degradedShare: degraded / good };
  const found = (['p99Ms', 'errorShare', 'degradedShare'] as const).find(
    (name) => values[name] > (limits[name] ?? Number.POSITIVE_INFINITY),
  );
  return found && `${found} was ${Number(values[found].toPrecision(4))}, above ${limits[found]}`;
}
