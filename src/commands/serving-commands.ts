import { createApiKeyCommand } from './api-key.js';
import { createConfigCommand } from './config.js';
import { createEventsCommand } from './events.js';
import { createForgetCommand } from './forget.js';
import { createImpressionsCommand } from './impressions.js';
import { createLoadTestCommand } from './load-test.js';
import { createLoadVectorsCommand } from './load-vectors.js';
import { createMaterialiseCommand } from './materialise.js';
import { createPushCommand } from './push.js';
import { createServeCommand } from './serve.js';
import { createSkewCommand } from './skew.js';
import { createValidateCommand } from './validate.js';

/** Commands that prepare what a server needs, serve, and look at what it did, in the order in which a person meets them. */
export const SERVING_COMMANDS = [
  createMaterialiseCommand,
  createLoadVectorsCommand,
  createPushCommand,
  createApiKeyCommand,
  createConfigCommand,
  createValidateCommand,
  createServeCommand,
  createEventsCommand,
  createImpressionsCommand,
  createForgetCommand,
  createSkewCommand,
  createLoadTestCommand,
];
