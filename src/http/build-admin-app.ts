import { ERRORS, type ErrorCode } from '../domain/errors.js';
import { addSecurityHeaders } from './access/browser-rules.js';
import { addGuard } from './access/guard.js';
import type { AdminParts } from './app-parts.js';
import { createHttpApp, type HttpApp } from './create-http-app.js';
import { addBundleReloadRoute } from './routes/bundle-reload.js';
import { addBundleRoute } from './routes/bundle.js';
import { addMetricsRoute } from './routes/metrics.js';
import { addPushRowsRoute } from './routes/push-rows.js';

const ALL_CODES = Object.keys(ERRORS) as ErrorCode[];

/** Builds the admin app: metrics, the bundle in service, reload, pushed features. Where credentials are required its routes need the scope `admin`, pushes `write`, metrics `metrics` or `admin`. It does not listen yet. */
export function buildAdminApp(parts: AdminParts): HttpApp {
  // A reload may take its time.
  const app = createHttpApp(parts, { codes: ALL_CODES, faults: true, stallTimeoutMs: 0 });
  addSecurityHeaders(app);
  addGuard(app, parts, { listener: 'admin', scope: 'admin' });
  addMetricsRoute(app, parts);
  addBundleRoute(app, parts);
  addBundleReloadRoute(app, parts);
  addPushRowsRoute(app, parts);
  return app;
}
