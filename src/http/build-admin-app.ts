import { ERRORS, type ErrorCode } from '../domain/errors.js';
import type { AppParts } from './app-parts.js';
import { createHttpApp, type HttpApp } from './create-http-app.js';
import { addBundleReloadRoute } from './routes/bundle-reload.js';
import { addBundleRoute } from './routes/bundle.js';
import { addMetricsRoute } from './routes/metrics.js';
import { addPushRowsRoute } from './routes/push-rows.js';

const ALL_CODES = Object.keys(ERRORS) as ErrorCode[];

/** Builds the admin app: metrics, the bundle in service, reload, pushed features. It asks for no credentials and does not listen yet. */
export function buildAdminApp(parts: AppParts): HttpApp {
  const app = createHttpApp(parts, { codes: ALL_CODES, faults: true });
  addMetricsRoute(app, parts);
  addBundleRoute(app, parts);
  addBundleReloadRoute(app, parts);
  addPushRowsRoute(app, parts);
  return app;
}
