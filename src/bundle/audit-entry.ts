import type { GateCheck } from './promotion-gates.js';

/** The log of a registry that says who changed what, and what was refused. */
export const AUDIT_LOG = 'audit';

/** What somebody did to a registry, or was refused. */
export interface AuditEvent {
  readonly action: 'publish' | 'promote' | 'rollback' | 'remove';
  readonly version: string;
  /** The channel that moved, or was to move. */
  readonly channel?: string;
  /** What that channel pointed at before; null for nothing. */
  readonly before?: string | null;
  /** Of a promotion: whether every gate was passed. */
  readonly passed?: boolean;
  readonly checks?: readonly GateCheck[];
}

/** A line of the audit log. */
export interface AuditEntry extends AuditEvent {
  /** ISO 8601. */
  readonly at: string;
  /** Who, as far as the machine knows. */
  readonly by: string;
}
