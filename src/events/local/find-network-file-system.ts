import { statfsSync } from 'node:fs';

/**
 * File systems whose files another machine or a program holds, by the number that Linux has for each. SQLite's log before the writes
 * needs memory that all writers share, locks that hold, and a sync that reaches the disk: https://sqlite.org/wal.html
 */
const KINDS: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xfe534d42, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0x01021997, '9p'],
  [0x65735546, 'FUSE'],
  [0x00c36400, 'Ceph'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS'],
  [0x01161970, 'GFS2'],
  [0x7461636f, 'OCFS2'],
  [0x19830326, 'BeeGFS'],
  [0x20030528, 'OrangeFS'],
  [0xaad7aaea, 'PanFS'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x73757245, 'Coda'],
  [0x564c, 'NCP'],
  [0x786f4256, 'VirtualBox'],
]);

/**
 * The kind of network file system that a folder is on; undefined for a disk of this machine, and on systems other than Linux, which number
 * theirs as they like.
 * @throws the error of the operating system when there is no such folder
 */
export function findNetworkFileSystem(folder: string): string | undefined {
  const { type } = statfsSync(folder);
  return process.platform === 'linux' ? KINDS.get(type) : undefined;
}
