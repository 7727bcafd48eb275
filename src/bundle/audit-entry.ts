import type { GateCheck } from './promotion-gates.js';

/** The log of a registry that says who changed what, and what was refused. */
export const AUDIT_LOG = 'audit';

/** A change of a registry, or one that was refused. */
export interface AuditEvent {
  readonly action: 'publish' | 'promote' | 'rollback' | 'remove';
  readonly version: string;
  /** The channel that moved, or was to move. */
  readonly channel?: string;
  /** What that channel pointed at before; null for nothing. */
  readonly before?: string | null;
  /** Of a promotion: whether it was made: every gate was passed, or is allowed to fail. */
  readonly passed?: boolean;
  readonly checks?: readonly GateCheck[];
  /** Of a promotion that did not pass them all: why it was made nevertheless. */
  readonly reason?: string;
}

/** A line of the audit log. */
export interface AuditEntry extends AuditEvent {
  /** ISO 8601. */
  readonly at: string;
  /** Who, as far as the machine knows. */
  readonly by: string;
}
