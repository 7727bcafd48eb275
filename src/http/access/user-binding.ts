import type { FastifyRequest, RouteOptions } from 'fastify';
import type { Scope } from '../../config/api-key-entry.js';
import { ShortlistError } from '../../domain/errors.js';
import { findOwn } from '../../domain/find-own.js';
import type { HttpApp } from '../create-http-app.js';

/** A request whose path and body are parsed, and not validated yet: the body may be anything that JSON can say, or undefined. */
export type ParsedRequest = Pick<FastifyRequest, 'params' | 'body'>;

/**
 * Lists every user whom a request is about: none where it is about nobody, undefined where that cannot be told. It runs before validation, so
 * that it never throws, and an entry may be no text: then it is nobody's id.
 */
export type UsersOf = (request: ParsedRequest) => readonly unknown[] | undefined;

/** For routes that ask about no user, or about all of them. */
export const NO_USERS: UsersOf = () => [];

/** Finds the user in the field `userId` of the path or of the body. A part that is no object cannot be told. */
export function userIn(part: keyof ParsedRequest): UsersOf {
  return (request) => findUserId(request[part]);
}

/** Finds the users in the field `userId` of each entry of a list in the body. A list or an entry of another shape cannot be told. */
export function usersInList(name: string): UsersOf {
  return ({ body }) => {
    const list = isObject(body) ? findOwn(body, name) : undefined;
    if (!Array.isArray(list)) return undefined;
    const users: unknown[] = [];
    for (const entry of list as readonly unknown[]) {
      const found = findUserId(entry);
      if (found === undefined) return undefined;
      users.push(...found);
    }
    return users;
  };
}

function findUserId(value: unknown): readonly unknown[] | undefined {
  if (!isObject(value)) return undefined;
  return Object.hasOwn(value, 'userId') ? [value['userId']] : [];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The scopes of routes that may be about a user; what the others open is about the server. */
const SCOPES_OF_USERS: readonly Scope[] = ['read', 'write'];

/**
 * Keeps an app from starting while a route that may be about a user has no `usersOf`: a token that is bound to a user could ask about every
 * other one there. Routes that `auth.openRoutes` can open, and preflights, are about nobody.
 * @param listenerScope what a route needs that says nothing else
 */
export function requireUsersOf(app: HttpApp, listenerScope: Scope): void {
  const routes: RouteOptions[] = [];
  // Plugins complete the routes of their scope after this hook: they are judged when all are there.
  app.addHook('onRoute', (route) => void routes.push(route));
  app.addHook('onReady', async () => {
    const open = routes.filter(({ method, config: { kind, scope = listenerScope, usersOf } = {} }) => {
      const isOfUsers = kind === undefined && method !== 'OPTIONS' && SCOPES_OF_USERS.includes(scope);
      return isOfUsers && usersOf === undefined;
    });
    if (open.length === 0) return;
    const names = open.map(({ method, url }) => `${String(method)} ${url}`).join(', ');
    throw new Error(`Name \`usersOf\` in the config of ${names}: a token may be bound to one user.`);
  });
}

/**
 * Refuses a token that is bound to one user when the request is about another, or when nobody can tell whom it is about.
 * @throws ShortlistError FORBIDDEN
 */
export function refuseOtherUsers(request: FastifyRequest): void {
  const boundTo = request.principal?.boundTo;
  if (boundTo === undefined) return;
  const { usersOf } = request.routeOptions.config;
  // Routes about the server, which need a scope that no user has, do not say.
  if (usersOf === undefined) return;
  const users = usersOf(request);
  if (users === undefined) {
    throw new ShortlistError(
      'FORBIDDEN',
      'The token is for one user, and the request does not say whom it is about.',
    );
  }
  if (users.some((user) => user !== boundTo)) {
    throw new ShortlistError('FORBIDDEN', 'The token is for another user.');
  }
}
