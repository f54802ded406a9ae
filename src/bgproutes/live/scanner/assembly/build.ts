/**
 * Compiles the scanner of frames to WebAssembly: `npm run build:wasm` writes frame-scan-binary.ts in the folder
 * above, which is kept with the sources, so that nobody who builds the exporter needs the compiler. A test holds both together.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import asc from 'assemblyscript/asc';
import { MEMORY_PAGES } from '../frame-layout.ts';

export const BINARY_FILE = join(import.meta.dirname, '../frame-scan-binary.ts');

/** The text of the module that has the binary. @throws Error with what the compiler says */
export async function compiled(): Promise<string> {
  const flags = {
    outFile: 'frame-scan.wasm',
    baseDir: import.meta.dirname,
    runtime: 'stub',
    noAssert: true,
    optimizeLevel: 3,
    enable: 'simd',
    initialMemory: String(MEMORY_PAGES),
    maximumMemory: String(MEMORY_PAGES),
  };
  const args = Object.entries(flags).flatMap(([name, value]) =>
    value === true ? [`--${name}`] : [`--${name}`, String(value)],
  );
  let binary: Uint8Array | undefined;
  const { error, stderr } = await asc.main(['frame-scan.ts', ...args], {
    writeFile: (_, contents) => {
      binary = contents as Uint8Array;
    },
  });
  if (error !== null || binary === undefined) throw new Error(`the scanner cannot be compiled:\n${stderr}`);
  const lines =
    Buffer.from(binary)
      .toString('base64')
      .match(/.{1,110}/g) ?? [];
  return `/** The compiled scanner of frames (assembly/frame-scan.ts), WebAssembly in base64. Made by \`npm run build:wasm\`. */
export const FRAME_SCAN_BINARY = [
${lines.map((line) => `  '${line}',`).join('\n')}
].join('');
`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) writeFileSync(BINARY_FILE, await compiled());
