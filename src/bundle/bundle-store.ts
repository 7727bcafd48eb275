import type { BundleFiles } from './bundle-files.js';

/**
 * Keeps the data of a registry: versions, which never change, and small texts, which do. Names are paths with
 * slashes.
 */
export interface BundleStore {
  /** For messages: a folder, or the address of a bucket. */
  readonly location: string;
  /** Oldest first; only whole ones. */
  listVersions(): Promise<string[]>;
  /** A local folder that holds the version; undefined where there is none. */
  findVersion(version: string): Promise<string | undefined>;
  /** All or nothing. @throws ShortlistError INVALID_BUNDLE when it is there already */
  addVersion(bundle: BundleFiles): Promise<void>;
  /** From its first moment on the version is not listed any more. */
  removeVersion(version: string): Promise<void>;
  findText(name: string): Promise<string | undefined>;
  /** A reader sees the old text or the new one. */
  replaceText(name: string, text: string): Promise<void>;
  /** The same where the text is there, and of the same length; false, and nothing is written, where it has gone. */
  renewText(name: string, text: string): Promise<boolean>;
  /** Nothing happens where it has gone already. */
  removeText(name: string): Promise<void>;
  /** Names of the texts in a folder, without it. */
  listTexts(folder: string): Promise<string[]>;
  /** Adds a line to a log; lines of several writers do not mix, and one that was cut off spoils no other. */
  appendLine(log: string, line: string): Promise<void>;
  /** Oldest first. */
  readLines(log: string): Promise<string[]>;
}
