import type { Logger } from 'pino';
import type { Settings } from '../../config/settings.js';
import { openFeatureLog } from '../../events/feature-log.js';
import { openImpressionLog } from '../../events/impression-log.js';
import type { Metrics } from '../../observability/metrics/metrics.js';
import type { Shadow } from '../experiments/shadow.js';
import { type AnswerListener, joinListeners } from './answer-listener.js';
import type { ShownCounts } from '../online/shown-counts.js';
import { countAnswers } from './count-answers.js';
import { countShown } from './count-shown.js';
import { logFeatures } from './log-features.js';
import { logImpressions } from './log-impressions.js';
import { scoreInShadow } from './score-in-shadow.js';

/** What happens after an answer depends on. */
export interface ListenersParts {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly shadow: Shadow | undefined;
  /** Absent where no rule asks for what was shown. */
  readonly shownCounts?: ShownCounts | undefined;
  /** Unix seconds. */
  readonly clock: () => number;
}

/** Opens everything that happens after an answer: metrics, the logs that the settings ask for, and the shadow where there is one. */
export function openListeners(
  settings: Pick<Settings, 'impressions' | 'featureLog'>,
  { shadow, shownCounts, clock, logger, metrics }: ListenersParts,
): Required<AnswerListener> {
  const logs = { logger, metrics: metrics.logs };
  const impressions = openImpressionLog(settings, logs);
  const features = openFeatureLog(settings, logs);
  const listeners = [
    countAnswers(metrics.recommendations),
    shownCounts && countShown(shownCounts, clock),
    impressions && logImpressions(impressions),
    features && logFeatures(features),
    shadow && scoreInShadow(shadow, { metrics: metrics.recommendations, impressions }),
  ];
  return joinListeners(listeners.filter((listener) => listener !== undefined));
}
