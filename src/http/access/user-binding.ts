import type { FastifyRequest, RouteOptions } from 'fastify';
import type { Scope } from '../../config/api-key-entry.js';
import { ShortlistError } from '../../domain/errors.js';
import { findOwn } from '../../domain/find-own.js';
import type { HttpApp } from '../create-http-app.js';

/** A request whose path and body are parsed, and not validated yet: the body may be anything that JSON can say, or undefined. */
export type ParsedRequest = Pick<FastifyRequest, 'params' | 'body'>;

/**
 * Finds the user whom a request is about, undefined where it names none. It runs before validation, so that it never throws, and what it
 * finds may be no text: then it is nobody's id. What it cannot read the schema of its route has to refuse.
 */
export type UserOf = (request: ParsedRequest) => unknown;

/** For routes that ask about no user, or about all of them. */
export const NO_USER: UserOf = () => undefined;

/** Finds the user in the field `userId` of the path or of the body. */
export function userIn(part: keyof ParsedRequest): UserOf {
  return (request) => {
    const value = request[part];
    return typeof value === 'object' && value !== null
      ? findOwn(value as Record<string, unknown>, 'userId')
      : undefined;
  };
}

/** The scopes of routes that may be about a user; what the others open is about the server. */
const SCOPES_OF_USERS: readonly Scope[] = ['read', 'write'];

/**
 * Keeps an app from starting while a route that may be about a user has no `userOf`: a token that is bound to a user could ask about every
 * other one there. Routes that `auth.openRoutes` can open, and preflights, are about nobody.
 * @param listenerScope what a route needs that says nothing else
 */
export function requireUserOf(app: HttpApp, listenerScope: Scope): void {
  const routes: RouteOptions[] = [];
  // Plugins complete the routes of their scope after this hook: they are judged when all are there.
  app.addHook('onRoute', (route) => void routes.push(route));
  app.addHook('onReady', async () => {
    const open = routes.filter(({ method, config: { kind, scope = listenerScope, userOf } = {} }) => {
      const isOfUsers = kind === undefined && method !== 'OPTIONS' && SCOPES_OF_USERS.includes(scope);
      return isOfUsers && userOf === undefined;
    });
    if (open.length === 0) return;
    const names = open.map(({ method, url }) => `${String(method)} ${url}`).join(', ');
    throw new Error(`Name \`userOf\` in the config of ${names}: a token may be bound to one user.`);
  });
}

/**
 * Refuses a token that is bound to one user when the request is about another.
 * @throws ShortlistError FORBIDDEN
 */
export function refuseOtherUser(request: FastifyRequest): void {
  const boundTo = request.principal?.boundTo;
  if (boundTo === undefined) return;
  const asked = request.routeOptions.config.userOf?.(request);
  if (asked !== undefined && asked !== boundTo) {
    throw new ShortlistError('FORBIDDEN', 'The token is for another user.');
  }
}
