import { openListenerParts } from '../../src/commands/open-listener-parts.js';
import type { ServerParts } from '../../src/http/app-parts.js';
import { openSourceAccess } from '../../src/observability/source-observer.js';

type Given = Pick<ServerParts, 'settings' | 'service' | 'logger' | 'metrics'>;

/** Adds what listeners use of the outside, as a server has it; nothing is connected before it is used. */
export function addListenerParts<Parts extends Given>(parts: Parts) {
  const { settings, service, logger, metrics } = parts;
  const dependencies = openSourceAccess(settings.sources, { logger, metrics: metrics.dependencies });
  return { ...parts, ...openListenerParts({ settings, service, metrics, dependencies }) };
}
