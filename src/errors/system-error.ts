/** What the operating system said, in words that can be understood without a list of error codes. */

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a folder',
  NO_REGULAR_FILE: 'it is a pipe or device, expected a regular file',
  ENXIO: 'it is a socket, or a device that is not there',
  ENOTDIR: 'a part of its path is no folder',
  ENAMETOOLONG: 'its name is too long',
  ELOOP: 'its links go round in a circle',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space is left on the disk',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file would be larger than the system allows',
  EIO: 'the disk reports an input/output error',
  EMFILE: 'the process has too many open files',
  ENFILE: 'the system has too many open files',
};

/** The code of an error of the system, such as `ENOENT`; undefined for any other error. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** What is wrong with a file or folder, without its name. */
export function systemReason(error: unknown): string {
  const code = systemCode(error) ?? 'unknown';
  return Object.hasOwn(REASONS, code) ? REASONS[code] : code;
}
