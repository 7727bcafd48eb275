import type { LoadProfile } from '../config/load-profile.js';
import { planStages, type PlannedStage } from './arrivals.js';

/**
 * A load profile as a script for k6: each stage a scenario of constant or ramping arrival rate, the same mix, the same thresholds.
 * Users come from a file of one id per line that `USERS` names, the target from `TARGET`.
 */
export function exportK6(profile: LoadProfile & { name: string }, options: { target: string }): string {
  const settings = {
    scenarios: Object.fromEntries(
      planStages(profile.stages).map((stage, position) => [
        `stage_${position + 1}`,
        scenarioOf(stage, { vus: vusOf(stage, profile) }),
      ]),
    ),
    thresholds: thresholdsOf(profile),
  };
  return `// ${profile.name}: ${profile.description.replaceAll(/\s+/g, ' ')}
// Made by \`shortlist load-test --export-k6\`. Run: k6 run -e TARGET=${options.target} -e USERS=users.txt <this file>
// k6 measures from the moment of sending, so watch dropped_iterations: each is a request that found no virtual user free.
import http from 'k6/http';
import { SharedArray } from 'k6/data';
import { Rate } from 'k6/metrics';

export const options = ${show(settings)};

const TARGET = (__ENV.TARGET || ${show(options.target)}).replace(/\\/$/, '');
const USERS = new SharedArray('users', () =>
  __ENV.USERS ? open(__ENV.USERS).split(/\\r?\\n/).filter((id) => id !== '') : [],
);
const KINDS = ${show(Object.entries(profile.users))};
const LIMITS = ${show(Object.entries(profile.limits))};
const SCENARIOS = ${show(Object.entries(profile.scenarios))};
const HOT = Array.from({ length: Math.max(1, Math.min(${profile.hotUsers.count}, USERS.length)) }, (_, position) => [
  position,
  Math.pow(position + 1, -${profile.hotUsers.exponent}),
]);
const degraded = new Rate('degraded');

export default function () {
  const user = encodeURIComponent(chooseUser());
  const scenario = encodeURIComponent(choose(SCENARIOS));
  const response = http.get(\`\${TARGET}/recommendations/\${user}?limit=\${choose(LIMITS)}&scenario=\${scenario}\`, {
    timeout: '${profile.timeoutMs}ms',
    tags: { name: 'recommendations' },
  });
  if (response.status === 200) degraded.add(response.json('degraded').length > 0);
}

function chooseUser() {
  const kind = choose(KINDS);
  if (kind === 'unknown' || USERS.length === 0) return \`load-test-\${Math.random()}\`;
  return USERS[kind === 'hot' ? choose(HOT) : Math.floor(Math.random() * USERS.length)];
}

function choose(weights) {
  let left = Math.random() * weights.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [value, weight] of weights) {
    left -= weight;
    if (left < 0) return value;
  }
  return weights[weights.length - 1][0];
}
`;
}

function scenarioOf({ fromRate, toRate, startSecond, seconds }: PlannedStage, { vus }: { vus: number }) {
  const common = { startTime: `${startSecond}s`, timeUnit: '1s', preAllocatedVUs: vus, maxVUs: 4 * vus };
  if (fromRate === toRate) {
    return { executor: 'constant-arrival-rate', rate: toRate, duration: `${seconds}s`, ...common };
  }
  return {
    executor: 'ramping-arrival-rate',
    startRate: fromRate,
    stages: [{ target: toRate, duration: `${seconds}s` }],
    ...common,
  };
}

/** Little's law: enough for answers that take as long as the threshold allows. */
function vusOf(
  { fromRate, toRate }: PlannedStage,
  { timeoutMs, maxConnections, thresholds }: LoadProfile,
): number {
  const waitMs = thresholds.p99Ms ?? timeoutMs;
  return Math.min(maxConnections, Math.ceil((Math.max(fromRate, toRate) * waitMs) / 1000));
}

function thresholdsOf({ thresholds, stopWhen = {} }: LoadProfile) {
  const metrics = [
    ['http_req_duration', 'p(99)', 'p99Ms'],
    ['http_req_failed', 'rate', 'errorShare'],
    ['degraded', 'rate', 'degradedShare'],
  ] as const;
  const entries = metrics.flatMap(([metric, statistic, name]) => {
    const limit = thresholds[name];
    const stop = stopWhen[name];
    const rules = [
      ...(limit === undefined ? [] : [`${statistic}<=${limit}`]),
      ...(stop === undefined
        ? []
        : [{ threshold: `${statistic}<=${stop}`, abortOnFail: true, delayAbortEval: '3s' }]),
    ];
    return rules.length === 0 ? [] : [[metric, rules] as const];
  });
  return Object.fromEntries(entries);
}

function show(value: unknown): string {
  return JSON.stringify(value, undefined, 2);
}
