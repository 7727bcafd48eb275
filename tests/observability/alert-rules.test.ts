import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { RULES } from '../support/alert-watch.js';
import { PROMETHEUS_MISSING } from '../support/prometheus.js';

/** Series as promtool has them, one value every ten seconds: `0+5x60` starts at 0 and grows by 5, 60 times. */
type Series = Readonly<Record<string, string>>;

interface RuleTest {
  /** Between two values and two evaluations; 10 seconds when absent. */
  readonly step?: string;
  /** Minutes after which it fires, or not. */
  readonly minutes: number;
  readonly firing: Series;
  /** What comes nearest to it and is well. */
  readonly quiet: Series;
}

const UP = 'up{job="shortlist",instance="a"}';
const requests = (status: number): string =>
  `shortlist_http_request_duration_seconds_count{job="shortlist",route="/recommendations/:userId",status="${status}"}`;
const bucket = (le: string): string =>
  `shortlist_http_request_duration_seconds_bucket{job="shortlist",route="/recommendations/:userId",le="${le}"}`;
const of = (name: string, labels = ''): string =>
  `shortlist_${name}{job="shortlist",instance="a"${labels === '' ? '' : `,${labels}`}}`;
const slates = (release: string, size = 'full'): string =>
  of('slates_total', `scenario="home",size="${size}",release="${release}"`);
const degraded = (release: string, reason = 'ranker_failed'): string =>
  of('degraded_total', `stage="ranking",reason="${reason}",release="${release}"`);
const info = (version: string, release = 'stable'): string =>
  of('bundle_info', `version="${version}",release="${release}"`);

/** A counter that is not there until it counts for the first time, and then stays: what a plain increase does not see. */
const APPEARS = '_x5 1x60';

/** The case of such a counter; what is well beside it is said where it is used. */
function first(series: string, minutes = 2): RuleTest {
  return { minutes, firing: { [series]: APPEARS }, quiet: {} };
}

const TESTS: Readonly<Record<string, RuleTest>> = {
  ShortlistDown: { minutes: 2, firing: { [UP]: '1x3 0x60' }, quiet: { [UP]: '1 1 0 0 1x60' } },
  ShortlistNotReady: {
    minutes: 2,
    firing: { [UP]: '1x60', [info('1', 'canary')]: '1x60' },
    quiet: { [UP]: '1x60', [info('1')]: '1x60' },
  },
  ShortlistErrors: {
    minutes: 2,
    firing: { [requests(200)]: '0+100x60', [requests(500)]: '0+2x60' },
    quiet: { [requests(200)]: '0+1000x60', [requests(500)]: '0+5x60', [requests(404)]: '0+900x60' },
  },
  ShortlistSlow: {
    minutes: 2,
    firing: { [bucket('0.1')]: '0+98x60', [bucket('0.25')]: '0+100x60', [bucket('+Inf')]: '0+100x60' },
    quiet: { [bucket('0.1')]: '0+100x60', [bucket('0.25')]: '0+100x60', [bucket('+Inf')]: '0+100x60' },
  },
  ShortlistOverloaded: {
    minutes: 2,
    firing: { [requests(200)]: '0+100x60', [of('problems_total', 'code="OVERLOADED"')]: '0+2x60' },
    quiet: {
      [requests(200)]: '0+1000x60',
      [of('problems_total', 'code="OVERLOADED"')]: '0+5x60',
      [of('problems_total', 'code="RATE_LIMITED"')]: '0+500x60',
    },
  },
  ShortlistDegraded: {
    minutes: 2,
    firing: { [slates('stable')]: '0+100x60', [degraded('stable')]: '0+6x60' },
    quiet: {
      [slates('stable')]: '0+100x60',
      [degraded('stable')]: '0+4x60',
      [degraded('shadow')]: '0+100x60',
    },
  },
  ShortlistRankerInvalid: {
    ...first(degraded('stable', 'ranker_invalid_output')),
    quiet: { [degraded('stable')]: '0+100x60', [degraded('shadow', 'ranker_invalid_output')]: '0+100x60' },
  },
  ShortlistEmptySlates: {
    minutes: 3,
    firing: { [slates('stable')]: '0+100x60', [slates('stable', 'empty')]: '0+3x60' },
    quiet: { [slates('stable')]: '0+100x60', [slates('stable', 'empty')]: '0+1x60' },
  },
  ShortlistRedisAway: {
    minutes: 2,
    firing: { [of('rate_limit_store_up', 'store="redis"')]: '1x3 0x60' },
    quiet: {
      [of('feature_store_up', 'view="users"')]: '1x60',
      [of('slate_cache_store_up', 'store="redis"')]: '1 0 1x60',
    },
  },
  ShortlistFeaturesNotLoaded: {
    minutes: 2,
    firing: { [of('feature_generation_up', 'view="users"')]: '1x3 0x60' },
    quiet: { [of('feature_generation_up', 'view="users"')]: '1 0 1x60' },
  },
  ShortlistFeaturesStale: {
    minutes: 12,
    firing: {
      [of('feature_values_total', 'view="users",status="stale"')]: '0+30x90',
      [of('feature_values_total', 'view="users",status="present"')]: '0+70x90',
    },
    quiet: {
      [of('feature_values_total', 'view="users",status="stale"')]: '0+10x90',
      [of('feature_values_total', 'view="users",status="present"')]: '0+90x90',
    },
  },
  ShortlistRowsRefused: {
    ...first(of('feature_rows_refused_total', 'view="users",reason="corrupt"'), 3),
    quiet: { [of('feature_rows_refused_total', 'view="users",reason="corrupt"')]: '0x60' },
  },
  ShortlistEventsAway: {
    minutes: 2,
    firing: { [of('event_store_up')]: '1x3 0x60' },
    quiet: { [of('event_store_up')]: '1 0 0 1x60' },
  },
  ShortlistEventsRefused: {
    minutes: 2,
    firing: {
      [of('events_total', 'type="click",outcome="accepted"')]: '0+94x60',
      [of('events_total', 'type="none",outcome="refused"')]: '0+6x60',
    },
    quiet: {
      [of('events_total', 'type="click",outcome="accepted"')]: '0+96x60',
      [of('events_total', 'type="none",outcome="refused"')]: '0+4x60',
      [of('events_total', 'type="click",outcome="duplicate"')]: '0+50x60',
    },
  },
  ShortlistEventsBehind: {
    minutes: 12,
    firing: { [of('event_store_oldest_uncompacted_seconds')]: '93601x90' },
    quiet: { [of('event_store_oldest_uncompacted_seconds')]: '93600x90' },
  },
  ShortlistEventDurabilityLost: {
    minutes: 2,
    firing: { [of('event_durability_lost')]: '0x3 1x60' },
    quiet: { [of('event_durability_lost')]: '0 1 1 0x60' },
  },
  ShortlistEventStreamLag: {
    minutes: 12,
    firing: {
      [of('event_stream_lag', 'stream="0"')]: '600000x90',
      [of('event_stream_lag', 'stream="1"')]: '500000x90',
    },
    // Every server of one Redis tells the same.
    quiet: {
      [of('event_stream_lag', 'stream="0"')]: '600000x90',
      'shortlist_event_stream_lag{job="shortlist",instance="b",stream="0"}': '600000x90',
    },
  },
  ShortlistForgottenListAway: {
    minutes: 2,
    firing: { [of('forgotten_list_up')]: '1x3 0x60' },
    quiet: { [of('forgotten_list_up')]: '1 0 0 1x60' },
  },
  ShortlistOverridesAway: {
    minutes: 2,
    firing: { [of('overrides_up')]: '1x3 0x60' },
    quiet: { [of('overrides_up')]: '1 0 0 1x60' },
  },
  ShortlistThreadLost: {
    minutes: 2,
    firing: { [of('lost_threads_total')]: '0x5 1x60' },
    quiet: { [of('lost_threads_total')]: '3x60' },
  },
  ShortlistThreadsMissing: {
    minutes: 2,
    firing: { [of('threads', 'state="wanted"')]: '2x60', [of('threads', 'state="living"')]: '2x3 1x60' },
    quiet: { [of('threads', 'state="wanted"')]: '2x60', [of('threads', 'state="living"')]: '2 1 1 2x60' },
  },
  ShortlistQuarantined: {
    minutes: 2,
    firing: { [of('quarantines_total')]: '0x5 1x60' },
    quiet: { [of('quarantines_total')]: '3x60' },
  },
  ShortlistProcessLost: {
    minutes: 2,
    firing: { [of('lost_processes_total', 'process="supervisor"')]: '0x5 1x60' },
    quiet: { [of('lost_processes_total', 'process="supervisor"')]: '3x60' },
  },
  ShortlistReloadRefused: {
    ...first(of('bundle_reloads_total', 'outcome="refused"')),
    quiet: { [of('bundle_reloads_total', 'outcome="swapped"')]: '0+1x60' },
  },
  ShortlistChannelBehind: {
    minutes: 12,
    firing: { [of('channel_behind', 'channel="production"')]: '1x90' },
    quiet: { [of('channel_behind', 'channel="production"')]: '1x45 0x90' },
  },
  ShortlistRegistryAway: {
    minutes: 2,
    firing: { [of('registry_up', 'store="bundles"')]: '1x3 0x60' },
    quiet: { [of('registry_up', 'store="bundles"')]: '1 0 1x60' },
  },
  ShortlistVersionsDiffer: {
    minutes: 32,
    firing: { [info('1')]: '1x200', [info('2').replace('"a"', '"b"')]: '1x200' },
    quiet: {
      [info('1')]: '1x200',
      [info('1').replace('"a"', '"b"')]: '1x200',
      [info('2', 'canary')]: '1x200',
    },
  },
  ShortlistCanaryWorse: {
    minutes: 3,
    firing: {
      [slates('stable')]: '0+100x60',
      [slates('canary')]: '0+100x60',
      [degraded('stable')]: '0+1x60',
      [degraded('canary')]: '0+4x60',
    },
    quiet: {
      [slates('stable')]: '0+100x60',
      [slates('canary')]: '0+100x60',
      [degraded('stable')]: '0+10x60',
      [degraded('canary')]: '0+11x60',
      [of('trial_requests_total', 'release="canary",outcome="answered"')]: '0+100x60',
      [of('trial_requests_total', 'release="shadow",outcome="failed"')]: '0+100x60',
    },
  },
  ShortlistTrialAway: {
    minutes: 20,
    firing: { [of('trial_up', 'release="canary"')]: '0x150' },
    quiet: { [of('trial_up', 'release="canary"')]: '0x60 1x90' },
  },
  ShortlistModelOld: {
    step: '6h',
    minutes: 60 * 24 * 15,
    firing: { [of('bundle_created_timestamp_seconds')]: '43200x60' },
    // A supervisor has no bundle of its own, and shows 0.
    quiet: {
      [of('bundle_created_timestamp_seconds', 'process="supervisor"')]: '0x60',
      [of('bundle_created_timestamp_seconds', 'process="1"')]: '172800x60',
    },
  },
  ShortlistScoreDrift: {
    minutes: 32,
    firing: { [of('drift_psi', 'kind="score",name="ranking"')]: '0.3x200' },
    quiet: { [of('drift_psi', 'kind="score",name="ranking"')]: '0.2x200' },
  },
  ShortlistFeatureDrift: {
    minutes: 62,
    firing: { [of('drift_psi', 'kind="source",name="als"')]: '1.1x400' },
    quiet: { [of('drift_psi', 'kind="feature",name="user.age"')]: '0.9x400' },
  },
  ShortlistLoopDelay: {
    minutes: 2,
    firing: { 'nodejs_eventloop_lag_p99_seconds{job="shortlist"}': '0.2x60' },
    quiet: { 'nodejs_eventloop_lag_p99_seconds{job="shortlist"}': '0.01 0.5 0.01x60' },
  },
  ShortlistImpressionsLost: {
    minutes: 2,
    firing: { [of('impression_log_up', 'log="features"')]: '0x60' },
    quiet: {
      [of('impression_log_up', 'log="impressions"')]: '1x60',
      [of('impressions_total', 'outcome="written"')]: '0+100x60',
    },
  },
  ShortlistSourceSlow: {
    ...first(of('source_slow_total', 'source="bundle"')),
    quiet: { [of('source_read_bytes_total', 'source="bundle"')]: '1x60' },
  },
  ShortlistSourceLarge: {
    ...first(of('source_large_total', 'source="bundle"')),
    quiet: { [of('source_read_bytes_total', 'source="bundle"')]: '1x60' },
  },
  ShortlistSourceRetries: {
    minutes: 3,
    firing: { [of('source_retries_total', 'source="object_storage"')]: '0 2 4 6 8 10 12 14x60' },
    quiet: { [of('source_retries_total', 'source="object_storage"')]: '0 0 4 8x60' },
  },
  ShortlistTracesLost: {
    ...first(of('trace_spans_total', 'outcome="failed"'), 3),
    quiet: { [of('trace_spans_total', 'outcome="sent"')]: '0+100x60' },
  },
};

/** How promtool says that an alert fires, or that it neither does nor is about to. */
function toPromtool(alert: string, { minutes, ...cases }: RuleTest, kind: 'firing' | 'quiet'): object {
  const state = kind === 'firing' ? ',alertstate="firing"' : '';
  return {
    name: `${alert} ${kind}`,
    interval: cases.step ?? '10s',
    input_series: Object.entries(cases[kind]).map(([series, values]) => ({ series, values })),
    promql_expr_test: [
      {
        expr: `count(ALERTS{alertname="${alert}"${state}})`,
        eval_time: `${minutes}m`,
        exp_samples: kind === 'firing' ? [{ labels: '{}', value: 1 }] : [],
      },
    ],
  };
}

function runPromtool(
  dir: string,
  tests: readonly object[],
  step = '10s',
): { status: number | null; said: string } {
  const file = join(dir, 'rules-test.json');
  const content = { rule_files: [resolve(RULES)], evaluation_interval: step, tests };
  writeFileSync(file, JSON.stringify(content));
  const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', file], { encoding: 'utf8' });
  return { status, said: stdout + stderr };
}

t.test('every alert has a case in which it fires, and one in which it does not', async (t) => {
  const { groups } = parse(readFileSync(RULES, 'utf8')) as { groups: { rules: { alert?: string }[] }[] };
  const names = groups.flatMap(({ rules }) => rules.flatMap(({ alert = [] }) => alert));
  t.same(Object.keys(TESTS), names);
});

t.test(
  'every alert fires where it should, and is quiet beside it',
  { skip: PROMETHEUS_MISSING },
  async (t) => {
    for (const step of ['10s', '6h']) {
      const chosen = Object.entries(TESTS).filter(([, test]) => (test.step ?? '10s') === step);
      const tests = chosen.flatMap(([alert, test]) => [
        toPromtool(alert, test, 'firing'),
        toPromtool(alert, test, 'quiet'),
      ]);
      const { status, said } = runPromtool(t.testdir({}), tests, step);
      t.equal(status, 0, said);
    }
  },
);

t.test('what was counted long ago is no alert any more', { skip: PROMETHEUS_MISSING }, async (t) => {
  const counters = Object.entries(TESTS).flatMap(([alert, { firing }]) => {
    const [series] = Object.entries(firing).find(([, values]) => values === APPEARS) ?? [];
    return series === undefined ? [] : [{ alert, series }];
  });
  t.equal(counters.length, 6);
  const tests = counters.map(({ alert, series }) =>
    toPromtool(alert, { step: '1m', minutes: 70, firing: {}, quiet: { [series]: '1x80' } }, 'quiet'),
  );
  const { status, said } = runPromtool(t.testdir({}), tests, '1m');
  t.equal(status, 0, said);
});

t.test(
  'negative control: promtool says so when an alert is not what the case expects',
  { skip: PROMETHEUS_MISSING },
  async (t) => {
    const { firing, quiet } = TESTS['ShortlistDown']!;
    const swapped = toPromtool('ShortlistDown', { minutes: 2, firing: quiet, quiet: firing }, 'firing');
    t.equal(runPromtool(t.testdir({}), [swapped]).status, 1);
  },
);
