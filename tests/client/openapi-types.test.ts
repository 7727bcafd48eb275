import { readFile, writeFile } from 'node:fs/promises';
import openapiTS, { astToString, type OpenAPI3 } from 'openapi-typescript';
import t from 'tap';
import { startServer } from '../../src/http/start-server.js';
import { createLogger } from '../../src/observability/create-logger.js';
import { createMetrics } from '../../src/observability/metrics.js';
import { buildSettings } from '../http/build.js';
import { MemoryService } from '../http/memory-service.js';

const DOCUMENT = 'client/openapi.json';
const TYPES = 'client/src/openapi.ts';
const HEADER = '// Made from openapi.json by `make client`; do not edit.\n// oxlint-disable max-lines\n\n';

/** The OpenAPI document of a running server. */
async function fetchDocument(): Promise<OpenAPI3> {
  const server = await startServer({
    service: new MemoryService(),
    settings: buildSettings({ shutdown: { drainDelayMs: 0 } }),
    logger: createLogger({ level: 'silent', writing: 'sync' }),
    metrics: createMetrics({ processMetrics: false }),
  });
  t.teardown(() => server.stop());
  return (await (await fetch(`${server.url}/openapi.json`)).json()) as OpenAPI3;
}

t.test(
  'the client is generated from the OpenAPI document of this server; else run `make client`',
  async (t) => {
    const document = await fetchDocument();
    const made = {
      [DOCUMENT]: `${JSON.stringify(document, undefined, 2)}\n`,
      [TYPES]: HEADER + astToString(await openapiTS(document)),
    };
    for (const [path, text] of Object.entries(made)) {
      if (process.env['UPDATE_CLIENT'] === '1') await writeFile(path, text);
      t.equal(await readFile(path, 'utf8'), text, `${path} is up to date: make client`);
    }
  },
);
