import { createAuditLogCommand } from './audit-log.js';
import { createDiffCommand } from './diff.js';
import { createGcCommand } from './gc.js';
import { createListCommand } from './list.js';
import { createPromoteCommand } from './promote.js';
import { createPublishCommand } from './publish.js';
import { createRollbackCommand } from './rollback.js';

/** Commands over published bundles and the channels that name them, in the order in which a person meets them. */
export const BUNDLE_COMMANDS = [
  createPublishCommand,
  createPromoteCommand,
  createRollbackCommand,
  createListCommand,
  createDiffCommand,
  createGcCommand,
  createAuditLogCommand,
];
