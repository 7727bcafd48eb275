import swagger from '@fastify/swagger';
import type { TSchema } from 'typebox';
import { ERRORS, type ErrorCode } from '../domain/errors.js';
import { addSecurityHeaders } from './access/browser-rules.js';
import { addGuard } from './access/guard.js';
import type { AdminParts } from './app-parts.js';
import { createHttpApp, type HttpApp } from './create-http-app.js';
import { openAnswers } from './open-answers.js';
import { ADMIN_LISTENER, createOpenapiOptions } from './openapi.js';
import { addBundleReloadRoute } from './routes/bundle-reload.js';
import { addBundleRoute } from './routes/bundle.js';
import { addExplorerRoutes } from './routes/explorer.js';
import { addInspectRoute } from './routes/inspect.js';
import { addItemsRoute } from './routes/items.js';
import { addMetricsRoute } from './routes/metrics.js';
import { addOpenapiRoute } from './routes/openapi.js';
import { addOverridesRoutes } from './routes/overrides.js';
import { addPushRowsRoute } from './routes/push-rows.js';
import { addUsersRoute } from './routes/users.js';
import { Bundle, BundleInService, Trial } from './schemas/bundle.js';
import { InspectAnswer, ItemSearchAnswer } from './schemas/inspect.js';
import { OverridesAnswer, OverridesBody } from './schemas/overrides.js';
import { createProblemSchema } from './schemas/problem.js';
import { Degradation, MoveReason } from './schemas/slate.js';
import { PushAnswer } from './schemas/pushed-rows.js';
import { ForgetAnswer } from './schemas/users.js';

const ALL_CODES = Object.keys(ERRORS) as ErrorCode[];

/** The schemas that the OpenAPI document names. */
const COMPONENTS: readonly TSchema[] = [
  BundleInService,
  Bundle,
  Trial,
  PushAnswer,
  ForgetAnswer,
  OverridesBody,
  OverridesAnswer,
  InspectAnswer,
  ItemSearchAnswer,
  Degradation,
  MoveReason,
  createProblemSchema(ALL_CODES),
];

/**
 * Builds the admin app: metrics, the bundle in service, reload, pushed features, users who are to be forgotten, overrides, with `explorer.enabled` the explorer and what it asks, and with `docs.enabled` the OpenAPI document of these.
 * Where credentials are required its routes need the scope `admin`, pushes `write`, metrics `metrics` or `admin`. It does not listen yet.
 */
export function buildAdminApp(parts: AdminParts): HttpApp {
  const { settings } = parts;
  // A reload may take its time.
  const app = createHttpApp(parts, { codes: ALL_CODES, faults: true, stallTimeoutMs: 0 });
  addSecurityHeaders(app);
  addGuard(app, parts, { listener: 'admin', scope: 'admin' });
  for (const schema of COMPONENTS) app.addSchema(schema);
  app.register(swagger, createOpenapiOptions(settings, ADMIN_LISTENER));
  app.register(async (routes: HttpApp) => {
    addMetricsRoute(routes, parts);
    addBundleRoute(routes, parts);
    addBundleReloadRoute(routes, parts);
    addPushRowsRoute(routes, parts);
    addUsersRoute(routes, parts);
    addOverridesRoutes(routes, parts);
    if (settings.explorer.enabled) {
      addInspectRoute(routes, parts);
      addItemsRoute(routes, parts);
    }
    if (settings.docs.enabled) addOpenapiRoute(routes, openAnswers, settings);
  });
  if (settings.explorer.enabled) app.register(addExplorerRoutes);
  return app;
}
