import { readFile, writeFile } from 'node:fs/promises';
import openapiTS, { astToString, type OpenAPI3, type OpenAPITSOptions } from 'openapi-typescript';
import t from 'tap';
import ts from 'typescript';
import { buildAdminApp } from '../../src/http/build-admin-app.js';
import { buildApp } from '../../src/http/build-app.js';
import { createLogger } from '../../src/observability/create-logger.js';
import { createMetrics } from '../../src/observability/metrics/metrics.js';
import { buildSettings } from '../http/build.js';
import { openGatedEvents } from '../support/gated-events.js';
import { createServerParts } from '../support/server-parts.js';
import { MemoryService } from '../http/memory-service.js';

const DOCUMENT = 'client/openapi.json';
const ADMIN_DOCUMENT = 'docs/admin-openapi.json';
const TYPES = 'client/src/openapi.ts';
const HEADER = '// Made from openapi.json by `make client`; do not edit.\n// oxlint-disable max-lines\n\n';

/** The documents of both listeners while no bundle is open: those of any server. */
async function readDocuments(): Promise<{ document: OpenAPI3; admin: OpenAPI3 }> {
  const service = new MemoryService();
  service.bundle = undefined;
  const parts = {
    ...createServerParts(service, {
      settings: buildSettings(),
      logger: createLogger({ level: 'silent', writing: 'sync' }),
      metrics: createMetrics({ processMetrics: false }),
    }),
    events: await openGatedEvents(t),
  };
  const [document, admin] = await Promise.all(
    [buildApp(parts), buildAdminApp(parts)].map(async (app) => {
      t.teardown(() => app.close());
      return (await app.inject('/openapi.json')).json<OpenAPI3>();
    }),
  );
  return { document: document!, admin: admin! };
}

/** Text with known values is a union that leaves room for others, so that editors offer the known ones. */
const openUnions: NonNullable<OpenAPITSOptions['transform']> = (schema) => {
  const known = (schema as { 'x-extensible-enum'?: string[] })['x-extensible-enum'];
  if (known === undefined) return undefined;
  const { factory, SyntaxKind } = ts;
  const text = factory.createKeywordTypeNode(SyntaxKind.StringKeyword);
  const others = factory.createIntersectionTypeNode([text, factory.createTypeLiteralNode([])]);
  const literals = known.map((value) => factory.createLiteralTypeNode(factory.createStringLiteral(value)));
  return factory.createUnionTypeNode([...literals, factory.createParenthesizedType(others)]);
};

t.test(
  'the client is generated from the OpenAPI document of this server; else run `make client`',
  async (t) => {
    const { document, admin } = await readDocuments();
    const made = {
      [DOCUMENT]: `${JSON.stringify(document, undefined, 2)}\n`,
      [ADMIN_DOCUMENT]: `${JSON.stringify(admin, undefined, 2)}\n`,
      [TYPES]: HEADER + astToString(await openapiTS(document, { transform: openUnions })),
    };
    for (const [path, text] of Object.entries(made)) {
      if (process.env['UPDATE_CLIENT'] === '1') await writeFile(path, text);
      t.equal(await readFile(path, 'utf8'), text, `${path} is up to date: make client`);
    }
  },
);
