/** How much memory Node was told to use. With too little it aborts in the middle of its work without a word about the reason. */

/** Least size of the heap's old part, MiB. A small table runs with it; half of it is what the program itself takes. */
export const MIN_HEAP_MIB = 64;

const OPTION = /^--max[-_]old[-_]space[-_]size=(\d+)$/;

/**
 * What is wrong with the heap's size that Node was given, if so. What Node chooses by itself, by the memory of the machine or
 * of a container, is not judged.
 * @param execArgv options of Node on the command line, which come before those of the environment
 * @param nodeOptions NODE_OPTIONS
 */
export function heapProblem(execArgv: readonly string[], nodeOptions = ''): string | undefined {
  const given = [...nodeOptions.split(/\s+/), ...execArgv].findLast((option) => OPTION.test(option));
  const mib = OPTION.exec(given ?? '')?.[1];
  // 0 leaves the choice to Node.
  if (given === undefined || mib === undefined || Number(mib) === 0 || Number(mib) >= MIN_HEAP_MIB) return undefined;
  return `${given}: expected at least ${MIN_HEAP_MIB} (MiB), with less Node aborts in the middle of the work`;
}
