import type { Settings } from '../config/settings.js';
import type { FeatureLog } from '../events/feature-log.js';
import type { SourceAccess } from '../domain/source-access.js';
import type { RedisClient } from '../features/redis-connection.js';
import type { ImpressionLog } from '../events/impression-log.js';
import type { Metrics } from '../observability/metrics/metrics.js';
import type { Tracing } from '../observability/tracing.js';
import type { RecommendationService } from '../serving/recommendation-service.js';
import type { FeaturePusher } from '../serving/online/feature-pusher.js';
import type { Shadow } from '../serving/experiments/shadow.js';
import type { ChannelWatch } from '../serving/bundle-life/watch-channels.js';
import type { Logger } from 'pino';

/** What the public listener is made of. */
export interface AppParts {
  readonly service: RecommendationService;
  readonly settings: Settings;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** The way to what lies outside of the process: to the keys of the issuer of tokens. */
  readonly dependencies: SourceAccess;
  /** Connects to the Redis that rate limits are shared in, where settings share them. The listener ends the connection. */
  readonly connectRateLimits: () => Promise<RedisClient>;
  /** Makes traces of requests; absent where there are none. */
  readonly tracing?: Tracing | undefined;
  /** Where the slates that are served are logged; absent where they are not. */
  readonly impressions?: ImpressionLog | undefined;
  /** Where what the ranker read is logged; absent where it is not. */
  readonly featureLog?: FeatureLog | undefined;
  /** Swaps in what the channel points at; absent where nobody watches it. It ends when the process is asked to stop. */
  readonly watch?: Pick<ChannelWatch, 'stop'> | undefined;
  /** Scores requests in shadow once they are answered; absent where none is to be. */
  readonly shadow?: Shadow | undefined;
  /** True from the moment the process was asked to stop: not ready any more, and connections end with their answer. */
  readonly isDraining?: () => boolean;
}

/** What every listener is made of. */
export type ListenerParts = Omit<AppParts, 'service' | 'connectRateLimits'>;

/** What the admin listener is made of: it recommends nothing. */
export interface AdminParts extends ListenerParts {
  readonly service: Pick<RecommendationService, 'describe' | 'views' | 'reload'>;
  /** Writes rows that are pushed. The listener closes it. */
  readonly pusher: FeaturePusher;
}

/** What a process with both listeners is made of. */
export type ServerParts = AppParts & AdminParts;
