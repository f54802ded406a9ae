/** A process that may open too few files. This module imports nothing: it is loaded before the limit is reached. */

/** The modules alone are a hundred files, and each connection to the web server is one more. */
const NEEDED = 'allow it 1024 or more (ulimit -n, LimitNOFILE of systemd, --ulimit nofile=1024 of a container engine)';

/** Says so when that is what the error, or one that it came from, is about. */
export function tooManyFiles(error: unknown): string | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENFILE') return `the system has too many open files: ${NEEDED}`;
    // Node 24 tells it in words where it looks for the package.json of a module.
    if (code === 'EMFILE' || (code === 'ERR_INVALID_PACKAGE_CONFIG' && message.includes('too many open files')))
      return `the process has too many open files: ${NEEDED}`;
  }
  return undefined;
}
