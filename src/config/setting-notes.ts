import { Type } from 'typebox';

/** Notes on a setting, beside its type: the configuration page is rendered from them. */
export interface SettingNotes {
  readonly description: string;
  /** The environment variable that overrides the files. */
  readonly variable?: string;
  readonly unit?: string;
  /** What 0 means, where it means something of its own. */
  readonly zero?: string;
  /** What goes wrong with a bad value. */
  readonly danger?: string;
  /** Its value may hold a password: no message shows it. */
  readonly secret?: boolean;
}

/** A TCP port as a setting. */
export const port = (notes: SettingNotes): Type.TInteger =>
  Type.Integer({ minimum: 0, maximum: 65_535, zero: 'any free port', ...notes });
/** An address to listen on as a setting. */
export const host = (notes: SettingNotes): Type.TString => Type.String({ minLength: 1, ...notes });
/** A whole number of milliseconds within bounds as a setting. */
export const milliseconds = (minimum: number, maximum: number, notes: SettingNotes): Type.TInteger =>
  Type.Integer({ minimum, maximum, unit: 'ms', ...notes });
/** A whole number of bytes within bounds as a setting. */
export const bytes = (minimum: number, maximum: number, notes: SettingNotes): Type.TInteger =>
  Type.Integer({ minimum, maximum, unit: 'bytes', ...notes });
