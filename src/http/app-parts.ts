import type { Settings } from '../config/settings.js';
import type { Metrics } from '../observability/metrics.js';
import type { Tracing } from '../observability/tracing.js';
import type { AnswerListener } from '../serving/after-answer/answer-listener.js';
import type { BundleAdmin } from '../serving/bundle-admin.js';
import type { ChannelWatch } from '../serving/bundle-life/watch-channels.js';
import type { Recommender } from '../serving/recommender.js';
import type { Logger } from 'pino';

/** Everything that a listener depends on, whichever it is. */
export interface ListenerParts {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Makes traces of requests; absent where there are none. */
  readonly tracing?: Tracing | undefined;
  /** Swaps in what the channel points at; absent where nobody watches it. It ends when the process is asked to stop. */
  readonly watch?: Pick<ChannelWatch, 'stop'> | undefined;
  /** Is told of every answer to a request for recommendations; absent where none are answered. */
  readonly afterAnswer?: Required<AnswerListener> | undefined;
  /** True from the moment the process was asked to stop: not ready any more, and connections end with their answer. */
  readonly isDraining?: () => boolean;
}

/** Everything that a server depends on. */
export interface AppParts extends ListenerParts {
  readonly recommender: Recommender;
  readonly bundleAdmin: BundleAdmin;
  readonly afterAnswer: Required<AnswerListener>;
}

/** Everything that the admin listener depends on: it recommends nothing. */
export interface AdminParts extends ListenerParts {
  readonly bundleAdmin: Pick<BundleAdmin, 'describe' | 'views' | 'reload'>;
}
