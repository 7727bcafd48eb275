import { createHmac } from 'node:crypto';
import { exportSPKI, importJWK, SignJWT, type CryptoKey } from 'jose';
import t, { type Test } from 'tap';
import { createApiKey } from '../../../src/config/api-keys.js';
import type { Settings } from '../../../src/config/settings.js';
import { startTokenIssuer, type IssuerMood } from '../../support/token-issuer.js';
import { build } from '../build.js';

const { key: API_KEY, entry } = createApiKey('app', ['read']);

async function setUp(t: Test, jwt: Partial<Settings['jwt']> = {}, attempts = 1) {
  const issuer = await startTokenIssuer(t);
  const built = build(t, {
    auth: { mode: 'required', apiKeys: [entry] },
    jwt: { ...build(t).settings.jwt, ...issuer.settings, ...jwt },
    sources: { attempts, firstWaitMs: 1 },
  });
  const ask = async (token: string, url = '/recommendations/u1') => {
    const answer = await built.app.inject({ url, headers: { authorization: `Bearer ${token}` } });
    return {
      status: answer.statusCode,
      headers: answer.headers,
      body: answer.json<Record<string, unknown>>(),
    };
  };
  return { ...built, issuer, ask };
}

/** Lets time pass for keys; tokens are judged by the wall clock. */
function passTime(t: Test): (seconds: number) => void {
  const now = performance.now.bind(performance);
  let aheadMs = 0;
  performance.now = () => now() + aheadMs;
  t.teardown(() => Reflect.deleteProperty(performance, 'now'));
  return (seconds) => void (aheadMs += seconds * 1000);
}

t.test('a token of the issuer may ask about its own user', async (t) => {
  const { ask, issuer, app, readLog } = await setUp(t);
  const token = await issuer.sign();
  t.match(await ask(token), { status: 200, body: { userId: 'u1' } });
  t.equal((await ask(token, '/popular')).status, 200);
  t.equal((await ask(token, '/items/7/similar')).status, 200);
  const other = await ask(token, '/recommendations/u2');
  t.match(other, { status: 403, body: { code: 'FORBIDDEN', detail: 'The token is for another user.' } });
  t.equal((await ask(token, '/recommendations/%751')).status, 200, 'the id counts, not how it is written');
  t.equal(issuer.asked, 1, 'its keys are fetched once');
  const { statusCode } = await app.inject({ url: '/recommendations/u9', headers: { 'x-api-key': API_KEY } });
  t.equal(statusCode, 200, 'API keys are bound to no user');
  t.match(readLog()[0], { status: 200, client: 'token' });
});

t.test('with jwt.bindSubject false it may ask about any', async (t) => {
  const { ask, issuer } = await setUp(t, { bindSubject: false });
  t.equal((await ask(await issuer.sign(), '/recommendations/u2')).status, 200);
});

t.test('scopes come from scope or scp, with their prefix', async (t) => {
  const { ask, issuer, admin } = await setUp(t);
  const table: readonly [Record<string, unknown>, number][] = [
    [{ scope: 'shortlist:read' }, 200],
    [{ scope: undefined, scp: 'shortlist:read x' }, 200],
    [{ scope: undefined, scp: ['x', 'shortlist:read'] }, 200],
    [{ scope: 'read' }, 403],
    [{ scope: 'shortlist:admin' }, 403],
    [{ scope: 'shortlist:reader xshortlist:read' }, 403],
    [{ scope: undefined }, 403],
    [{ scope: { 'shortlist:read': true } }, 403],
  ];
  for (const [claims, status] of table) {
    t.equal((await ask(await issuer.sign(claims))).status, status, JSON.stringify(claims));
  }
  const authorization = `Bearer ${await issuer.sign({ scope: 'shortlist:admin' })}`;
  t.equal((await admin.inject({ url: '/bundle', headers: { authorization } })).statusCode, 200);
});

t.test('a token that is wrong in any way is a 401', async (t) => {
  const { ask, issuer } = await setUp(t);
  const now = Math.floor(Date.now() / 1000);
  const good = await issuer.sign();
  const [head, body, signature] = good.split('.') as [string, string, string];
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const forged = encode({ ...(JSON.parse(Buffer.from(body, 'base64url').toString()) as object), sub: 'u2' });
  const table: Record<string, string> = {
    'another issuer': await issuer.sign({ iss: 'https://evil.example/' }),
    'another audience': await issuer.sign({ aud: 'billing' }),
    'no audience': await issuer.sign({ aud: undefined }),
    'not yet valid': await issuer.sign({ nbf: now + 3600 }),
    'without an end': await issuer.sign({ exp: undefined }),
    'without a subject': await issuer.sign({ sub: undefined }),
    'an empty subject': await issuer.sign({ sub: '' }),
    'a subject that is no text': await issuer.sign({ sub: 7 }),
    'a changed body': `${head}.${forged}.${signature}`,
    'a changed signature': `${head}.${body}.${signature.slice(0, -4)}AAAA`,
    'no signature': `${head}.${body}.`,
    'the algorithm none': `${encode({ alg: 'none', kid: 'k1' })}.${body}.`,
    'an algorithm that is not accepted': await issuer
      .sign({}, { alg: 'ES384' })
      .catch(() => `${encode({ alg: 'ES384', kid: 'k1' })}.${body}.${signature}`),
    'no JSON': 'a.b.c',
    nothing: '..',
    'a critical extension': `${encode({ alg: 'ES256', kid: 'k1', crit: ['x'], x: 1 })}.${body}.${signature}`,
  };
  for (const [what, token] of Object.entries(table)) {
    const { status, headers, body: problem } = await ask(token);
    t.equal(status, 401, what);
    t.equal(headers['www-authenticate'], 'Bearer realm="shortlist", error="invalid_token"');
    t.match(problem, { code: 'UNAUTHENTICATED', detail: 'The token is not valid here.' });
  }
  t.match(await ask(await issuer.sign({ exp: now - 60 })), {
    status: 401,
    body: { detail: 'The token has expired.' },
  });
  t.equal((await ask(await issuer.sign({ exp: now - 10 }))).status, 200, 'clocks may differ by 30 s');
});

t.test('a public key is no shared secret', async (t) => {
  const { ask, issuer } = await setUp(t);
  await issuer.rotate('RS256');
  const jwk = issuer.published.at(-1)!;
  const pem = await exportSPKI((await importJWK(jwk, 'RS256')) as CryptoKey);
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    ...issuer.settings,
    iss: issuer.settings.issuer,
    aud: 'shortlist',
    sub: 'u1',
    exp: now + 60,
  };
  const unsigned = [
    { alg: 'HS256', kid: jwk.kid },
    { ...claims, scope: 'shortlist:read' },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  for (const secret of [pem, pem.trim(), JSON.stringify(jwk), jwk.n!]) {
    const signature = createHmac('sha256', secret).update(unsigned).digest('base64url');
    t.equal((await ask(`${unsigned}.${signature}`)).status, 401);
  }
  t.equal((await ask(await issuer.sign())).status, 200, 'the key itself is good');
});

t.test('the algorithms that are accepted are', async (t) => {
  for (const algorithm of ['RS256', 'PS256', 'ES256', 'EdDSA']) {
    const { ask, issuer } = await setUp(t);
    await issuer.rotate(algorithm);
    t.equal((await ask(await issuer.sign())).status, 200, algorithm);
  }
});

t.test('a new key of the issuer is found, and one it withdrew is forgotten', async (t) => {
  const pass = passTime(t);
  const { ask, issuer } = await setUp(t);
  const before = await issuer.sign();
  t.equal((await ask(before)).status, 200);
  await issuer.rotate();
  const after = await issuer.sign();
  t.equal((await ask(after)).status, 401, 'just asked: unknown keys cannot make the issuer busy');
  t.equal(issuer.asked, 1);
  pass(11);
  t.equal((await ask(after)).status, 200);
  t.equal((await ask(before)).status, 200, 'both are published');
  issuer.published.shift();
  pass(301);
  t.equal((await ask(before)).status, 200, 'the request that notices does not wait for the refresh');
  while (issuer.asked < 3) await ask(after);
  while ((await ask(before)).status === 200);
  t.equal((await ask(after)).status, 200);
});

const MOODS: Record<string, IssuerMood> = {
  'refuses connections': (response) => response.socket!.destroy(),
  'answers 500': (response) => response.writeHead(500).end('{"keys":[]}'),
  'redirects elsewhere': (response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
  'sends no JSON': (response) => response.end('<html>'),
  'sends no set of keys': (response) => response.end('{"keys":[7]}'),
  'sends an empty set': (response) => response.end('{"keys":[]}'),
  'sends null': (response) => response.end('null'),
  'never answers': () => undefined,
  'never finishes': (response) => response.write('{"keys":['),
  'sends far too much': (response) => response.end(`{"keys":["${'x'.repeat(300_000)}"]}`),
};

for (const [what, mood] of Object.entries(MOODS)) {
  t.test(`an issuer that ${what} costs tokens, not API keys, until it is well`, async (t) => {
    const pass = passTime(t);
    const { ask, app, issuer, readLog } = await setUp(t, {
      fetchTimeoutMs: what.startsWith('never') ? 500 : 10_000,
    });
    issuer.mood = mood;
    const token = await issuer.sign();
    const refused = await ask(token);
    t.match(refused, { status: 503, body: { code: 'KEYS_UNAVAILABLE' } });
    t.equal(refused.headers['retry-after'], '1');
    t.match(await ask(token), { status: 503 });
    t.equal(issuer.asked, 1, 'it is left alone for a second');
    const headers = { 'x-api-key': API_KEY };
    t.equal((await app.inject({ url: '/recommendations/u1', headers })).statusCode, 200);
    t.equal((await app.inject('/ready')).statusCode, 200);
    issuer.mood = undefined;
    pass(2);
    t.equal((await ask(token)).status, 200);

    issuer.mood = mood;
    pass(301);
    t.equal((await ask(token)).status, 200);
    while (issuer.asked < 3) await ask(token);
    t.equal((await ask(token)).status, 200, 'known keys serve on');
    pass(86_400);
    t.equal((await ask(token)).status, 503, 'but not for ever');
    t.match(
      readLog().filter(({ msg }) => String(msg).startsWith('the issuer')),
      [{ level: 'warn', err: { message: String } }, { level: 'info' }, { level: 'warn' }],
    );
  });
}

for (const what of ['refuses connections', 'answers 500']) {
  t.test(`an issuer that ${what} for a moment is asked again, and nobody is told`, async (t) => {
    const { ask, issuer, metrics, readLog } = await setUp(t, { fetchTimeoutMs: 10_000 }, 3);
    issuer.mood = (response) => {
      if (issuer.asked === 2) issuer.mood = undefined;
      MOODS[what]!(response);
    };
    t.equal((await ask(await issuer.sign())).status, 200);
    t.equal(issuer.asked, 3);
    t.match(await metrics.render(), 'shortlist_source_retries_total{source="issuer"} 2');
    t.match(
      readLog().filter(({ event }) => event === 'source_retry'),
      [{ level: 'warn', source: 'issuer', attempt: 1, waitMs: Number }, { attempt: 2 }],
    );
  });
}

t.test('an issuer that answers with nonsense is not asked again', async (t) => {
  const { ask, issuer } = await setUp(t, {}, 3);
  issuer.mood = MOODS['sends no JSON'];
  t.equal((await ask(await issuer.sign())).status, 503);
  t.equal(issuer.asked, 1);
});

t.test('a key of the issuer that cannot be used is not the client’s fault', async (t) => {
  const { ask, issuer } = await setUp(t);
  const token = await issuer.sign();
  issuer.published[0] = { ...issuer.published[0]!, x: 'AAAA' };
  t.match(await ask(token), { status: 503, body: { code: 'KEYS_UNAVAILABLE' } });
});

t.test('a token without the name of a key is good while there is one key', async (t) => {
  const { ask, issuer } = await setUp(t);
  t.equal((await ask(await issuer.sign({}, { kid: undefined }))).status, 200);
});

t.test('closing gives up what is being fetched', async (t) => {
  const { ask, app, issuer } = await setUp(t, { fetchTimeoutMs: 30_000 });
  const arrived = new Promise<void>((resolve) => (issuer.mood = () => resolve()));
  const answer = ask(await issuer.sign());
  await arrived;
  await app.close();
  t.match(await answer, { status: 503, body: { code: 'KEYS_UNAVAILABLE' } });
});

t.test('the document says that tokens are taken', async (t) => {
  const { app } = await setUp(t);
  t.match((await app.inject('/openapi.json')).json(), {
    components: { securitySchemes: { bearer: { description: 'An API key, or a token of the issuer.' } } },
  });
});

t.test('a token of somebody else with the same key id is refused', async (t) => {
  const { ask, issuer } = await setUp(t);
  const stranger = await startTokenIssuer(t);
  t.equal((await ask(await stranger.sign())).status, 401);
  const key = await importJWK({ kty: 'oct', k: 'AAAA' }, 'HS256');
  const token = await new SignJWT({ sub: 'u1' }).setProtectedHeader({ alg: 'HS256' }).sign(key);
  t.equal((await ask(token)).status, 401);
  t.equal((await ask(await issuer.sign())).status, 200);
});
