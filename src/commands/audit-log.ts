import { Command } from 'commander';
import type { AuditEntry } from '../bundle/audit-entry.js';
import { describeCheck } from '../bundle/promotion-gates.js';
import { loadSettings } from '../config/load-settings.js';
import type { CommandContext } from './command-context.js';
import { openRegistry } from './open-registry.js';

/** The command `shortlist audit-log`. */
export function createAuditLogCommand(context: CommandContext): Command {
  return new Command('audit-log')
    .description('Print who published, promoted, rolled back and removed bundles, and what was refused.')
    .option('--json', 'as JSON, one line each')
    .action(async ({ json }: { json?: true }) => {
      const registry = await openRegistry(loadSettings(context).bundle, context);
      for (const entry of await registry.readAudit()) {
        context.print(json === true ? JSON.stringify(entry) : describeEntry(entry));
      }
    });
}

function describeEntry({
  at,
  by,
  action,
  version,
  channel,
  before,
  passed,
  checks = [],
  reason,
}: AuditEntry): string {
  const moved = channel === undefined ? '' : `, ${channel} before at ${before ?? 'nothing'}`;
  const failed = checks.filter((check) => !check.passed).map(describeCheck);
  const refused = passed === false ? `; refused: ${failed.join('; ')}` : '';
  const allowed = reason === undefined ? '' : `; allowed (${reason}): ${failed.join('; ')}`;
  return `${at} ${by} ${action} ${version}${moved}${refused}${allowed}`;
}
