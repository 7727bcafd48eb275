import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';

/** What an issuer does when it is asked for its keys. */
export type IssuerMood = (response: ServerResponse) => void;

/** An issuer of tokens with real keys, which publishes them over HTTP. */
export interface TokenIssuer {
  readonly url: string;
  /** What `jwt` of the settings needs to accept its tokens. */
  readonly settings: { jwksUrl: string; issuer: string; audience: string };
  /** Times that it was asked for its keys. */
  readonly asked: number;
  /** Answers so from now on; with its keys when not said. */
  mood: IssuerMood | undefined;
  /** The keys that it publishes, newest last. */
  readonly published: JWK[];
  /** Makes a new key, publishes it and signs with it from now on. */
  rotate(algorithm?: string): Promise<void>;
  /** A token of the user u1 with the scope to read, but for the claims given. */
  sign(claims?: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>;
}

const ISSUER = 'https://id.example/';
const AUDIENCE = 'shortlist';

export async function startTokenIssuer(t: { teardown(end: () => unknown): void }): Promise<TokenIssuer> {
  const published: JWK[] = [];
  let signing: { key: CryptoKey; kid: string; alg: string };
  const server = createServer((_request, response) => {
    issuer.asked++;
    if (issuer.mood !== undefined) issuer.mood(response);
    else response.end(JSON.stringify({ keys: published }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
  const issuer = {
    url,
    settings: { jwksUrl: url, issuer: ISSUER, audience: AUDIENCE },
    asked: 0,
    mood: undefined as IssuerMood | undefined,
    published,
    rotate: async (alg = 'ES256') => {
      const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
      const kid = `k${published.length + 1}`;
      published.push({ ...(await exportJWK(publicKey)), kid, alg, use: 'sig' });
      signing = { key: privateKey, kid, alg };
    },
    sign: async (claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}) => {
      const now = Math.floor(Date.now() / 1000);
      const usual = { iss: ISSUER, aud: AUDIENCE, sub: 'u1', scope: 'openid shortlist:read', exp: now + 600 };
      return new SignJWT({ ...usual, ...claims })
        .setProtectedHeader({ alg: signing.alg, kid: signing.kid, ...header })
        .sign(signing.key);
    },
  };
  await issuer.rotate();
  return issuer;
}
