import type { Settings } from '../config/settings.js';
import type { Metrics } from '../observability/metrics.js';
import type { RecommendationService } from '../serving/recommendation-service.js';
import type { Logger } from 'pino';

/** What both listeners are made of. */
export interface AppParts {
  readonly service: RecommendationService;
  readonly settings: Settings;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** True from the moment the process was asked to stop: not ready any more, and connections end with their answer. */
  readonly isDraining?: () => boolean;
}

/** What every listener is made of. */
export type ListenerParts = Omit<AppParts, 'service'>;

/** What the admin listener is made of: it recommends nothing. */
export interface AdminParts extends ListenerParts {
  readonly service: Pick<RecommendationService, 'describe' | 'views' | 'reload'>;
}
