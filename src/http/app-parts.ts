import type { Logger } from 'pino';
import type { Settings } from '../config/settings.js';
import type { DependencyAccess } from '../domain/dependency-access.js';
import type { ForgottenUsers } from '../domain/forgetting.js';
import type { ForgottenUserStore } from '../events/forgotten/forgotten-user-store.js';
import type { EventStore } from '../events/event-store.js';
import type { OverrideStore } from '../overrides/override-store.js';
import type { RedisClient } from '../features/redis-connection.js';
import type { Metrics } from '../observability/metrics/metrics.js';
import type { Tracing } from '../observability/tracing.js';
import type { AnswerListener } from '../serving/after-answer/answer-listener.js';
import type { BundleAdmin } from '../serving/bundle-admin.js';
import type { ChannelWatch } from '../serving/bundle-life/watch-channels.js';
import type { Forgetter } from '../serving/forgetting/forgetter.js';
import type { OverridesAdmin } from '../serving/overriding/overrides-admin.js';
import type { FeaturePusher } from '../serving/online/feature-pusher.js';
import type { Recommender } from '../serving/recommender.js';

/** Everything that a listener depends on, whichever it is. */
export interface ListenerParts {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Reaches what lies outside of the process: the keys of the issuer of tokens. */
  readonly dependencies: DependencyAccess;
  /** Makes traces of requests; absent where there are none. */
  readonly tracing?: Tracing | undefined;
  /** Swaps in what the channel points at; absent where nobody watches it. It ends when the process is asked to stop. */
  readonly watch?: Pick<ChannelWatch, 'stop'> | undefined;
  /** Is told of every answer to a request for recommendations; absent where none are answered. */
  readonly afterAnswer?: Required<AnswerListener> | undefined;
  /** True from the moment the process was asked to stop: not ready any more, and connections end with their answer. */
  readonly isDraining?: () => boolean;
}

/** Everything that the public listener depends on. */
export interface AppParts extends ListenerParts {
  readonly recommender: Recommender;
  readonly bundleAdmin: BundleAdmin;
  readonly afterAnswer: Required<AnswerListener>;
  /** Keeps what users did; absent where no events are taken. The server closes it when all is answered. */
  readonly events?: EventStore | undefined;
  /** Knows who asked to be forgotten: events of before are refused. The server closes it when all is answered. */
  readonly forgotten: ForgottenUsers & Pick<ForgottenUserStore, 'close'>;
  /** Has the overrides. The server closes it when all is answered. */
  readonly overrides: Pick<OverrideStore, 'close'>;
  /** Connects to the Redis that rate limits are shared in, where settings share them. The listener ends the connection. */
  readonly connectRateLimits: () => Promise<RedisClient>;
}

/** Everything that the admin listener depends on: it recommends nothing. */
export interface AdminParts extends ListenerParts {
  readonly bundleAdmin: Pick<BundleAdmin, 'describe' | 'views' | 'reload' | 'inspect' | 'findItems'>;
  /** Writes rows that are pushed. The listener closes it. */
  readonly pusher: FeaturePusher;
  /** Forgets users. The listener closes it. */
  readonly forgetter: Forgetter;
  /** Shows and changes the overrides. */
  readonly overridesAdmin: OverridesAdmin;
}

/** Everything that a process with both listeners depends on. */
export type ServerParts = AppParts & AdminParts;
