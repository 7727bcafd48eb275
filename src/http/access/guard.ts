import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Scope } from '../../config/api-key-entry.js';
import { ShortlistError } from '../../domain/errors.js';
import type { AppParts } from '../app-parts.js';
import type { HttpApp } from '../create-http-app.js';
import { createMalformedRefusal, createUnmatchedRefusal } from '../refuse-unroutable.js';
import { createHostCheck } from './allowed-hosts.js';
import { createCrossSiteCheck } from './cross-site.js';
import { createAuthenticator, type Authenticator } from './authenticator.js';
import type { Principal } from './principal.js';
import type { RateLimiter } from './rate-limiter.js';
import type { ListenerName } from './require-access.js';
import { refuseOtherUsers, requireUsersOf, type UsersOf } from './user-binding.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; undefined where nobody needs to say, and before it is known. */
    principal: Principal | undefined;
  }
  interface FastifyContextConfig {
    /** What the route needs where it is not what its listener needs. */
    scope?: Scope;
    /** Routes that `auth.openRoutes` may open. */
    kind?: 'health' | 'docs' | 'metrics';
    /** Whether the route needs no credentials, whatever `auth` says: it holds nothing but files of this release. */
    isPublic?: boolean;
    /** Whom a request of the route is about. Routes that may be about a user have to say. */
    usersOf?: UsersOf;
    /** A page or a file of one, to which links of other sites may lead at the admin listener; nothing else of it is for them. */
    isPage?: boolean;
  }
}

/**
 * Puts a guard before every route of a listener, and before what has no route. In this order: who asks; whether it asked too often;
 * whether the request can be read; under which host and from which site it comes; whether it has a route; whether who asks may; and, once
 * the body is parsed, whether it may ask about these users. Requests without accepted credentials count for their address, so that guessing is
 * limited too. The app does not get ready with a route that may be about a user and does not say `usersOf`.
 *
 * @param options.scope what a route needs that says nothing else
 * @throws ShortlistError INVALID_CONFIG when credentials are required and nothing accepts any
 */
export function addGuard(
  app: HttpApp,
  parts: Pick<AppParts, 'settings' | 'logger' | 'dependencies'>,
  options: { listener: ListenerName; scope: Scope; limit?: RateLimiter | undefined },
): void {
  const { settings, logger, dependencies } = parts;
  const authenticator = createAuthenticator(settings, { logger, access: dependencies });
  const { openRoutes } = settings.auth;
  const refuseMalformed = createMalformedRefusal(settings.server);
  const refuseUnmatched = createUnmatchedRefusal(app);
  const checkHost = createHostCheck(options.listener, settings);
  const checkSite = createCrossSiteCheck(options.listener, settings.cors);
  const refuse = (request: FastifyRequest, reply: FastifyReply): void => {
    refuseMalformed(request, reply);
    checkHost?.(request);
    checkSite(request);
    refuseUnmatched(request, reply);
  };
  app.decorateRequest('principal', undefined);
  app.addHook('onClose', async () => authenticator?.close());
  requireUsersOf(app, options.scope);
  // Not in `onRequest`: what is refused has the security headers too, and an answer to a preflight comes before, since browsers send
  // no credentials with one.
  if (authenticator === undefined && options.limit === undefined) {
    // Without a promise: nothing is waited for.
    app.addHook('preParsing', (request, reply, payload, done) => {
      refuse(request, reply);
      done(null, payload);
    });
    return;
  }
  app.addHook('preParsing', async (request, reply) => {
    const { kind, isPublic = false, scope = options.scope } = request.routeOptions.config;
    const isOpen = isPublic || (kind !== undefined && openRoutes.includes(kind));
    const refusal = isOpen ? undefined : await identify(request, authenticator);
    if (kind !== 'health') await options.limit?.(request, reply);
    refuse(request, reply);
    if (refusal !== undefined) throw challenge(refusal, request, reply);
    if (request.principal !== undefined) requireScope(request, reply, scope);
  });
  // Before validation, as all other refusals are: whoever may not ask is not told what is wrong with it.
  app.addHook('preValidation', (request, _reply, done) => {
    refuseOtherUsers(request);
    done();
  });
}

/** Sets who asks. @returns why it cannot be told */
async function identify(request: FastifyRequest, authenticator: Authenticator | undefined): Promise<unknown> {
  try {
    request.principal = await authenticator?.identify(request.headers);
    return undefined;
  } catch (error) {
    return error;
  }
}

/** RFC 6750: how to authenticate, and what was wrong with the attempt. */
function challenge(refusal: unknown, { headers }: FastifyRequest, reply: FastifyReply): unknown {
  if (!(refusal instanceof ShortlistError) || refusal.code !== 'UNAUTHENTICATED') return refusal;
  const tried = headers.authorization !== undefined || headers['x-api-key'] !== undefined;
  reply.header('www-authenticate', tried ? `${REALM}, error="invalid_token"` : REALM);
  return refusal;
}

const REALM = 'Bearer realm="shortlist"';

function requireScope(request: FastifyRequest, reply: FastifyReply, scope: Scope): void {
  const { scopes } = request.principal!;
  if (!scopes.includes(scope) && !(scope === 'metrics' && scopes.includes('admin'))) {
    reply.header('www-authenticate', `${REALM}, error="insufficient_scope", scope="${scope}"`);
    throw new ShortlistError('FORBIDDEN', `This needs the scope \`${scope}\`.`);
  }
}
