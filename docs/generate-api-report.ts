/**
 * Writes docs/library.api.md, the list of everything that programs can import: `npm run docs:api`. A test says when it is
 * stale, so that no change of the public API goes unnoticed.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Extractor, ExtractorConfig, type ExtractorLogLevel } from '@microsoft/api-extractor';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
export const API_REPORT = join(ROOT, 'docs', 'library.api.md');

/** The program and its declarations, as `npm run build` makes them, in another folder. */
export function buildInto(folder: string): void {
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const args = [tsc, '-p', join(ROOT, 'tsconfig.build.json'), '--outDir', join(folder, 'dist')];
  execFileSync(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  execFileSync(process.execPath, [join(ROOT, 'build-runbook.js'), join(folder, 'dist', 'runbook.html')]);
}

/**
 * The report, of a folder that has the package.json and was built into. Throws when the public API cannot be described:
 * a type that is part of it is not exported, or something exported has no comment.
 */
export function apiReport(folder: string): string {
  const level = (name: string) => ({ logLevel: name as ExtractorLogLevel, addToApiReportFile: false });
  const compilerOptions = {
    ...{ target: 'ES2023', lib: ['ES2023'], module: 'NodeNext', moduleResolution: 'NodeNext', types: ['node'] },
    // Where the types of Node are, although the folder is elsewhere.
    typeRoots: [join(ROOT, 'node_modules', '@types')],
    ...{ strict: true, skipLibCheck: true },
  };
  const config = ExtractorConfig.prepare({
    configObject: {
      projectFolder: folder,
      mainEntryPointFilePath: join(folder, 'dist', 'index.d.ts'),
      compiler: { overrideTsconfig: { compilerOptions, files: ['dist/index.d.ts'] } },
      apiReport: {
        enabled: true,
        reportFileName: 'library.api.md',
        reportFolder: folder,
        reportTempFolder: folder,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      newlineKind: 'lf',
      messages: {
        compilerMessageReporting: { default: level('error') },
        extractorMessageReporting: { default: level('none'), 'ae-forgotten-export': level('error') },
        tsdocMessageReporting: { default: level('none') },
      },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: join(folder, 'package.json'),
  });
  const problems: string[] = [];
  const result = Extractor.invoke(config, {
    localBuild: true,
    messageCallback: (message) => {
      message.handled = true;
      if (message.logLevel === 'error' || message.logLevel === 'warning') problems.push(message.text);
    },
  });
  const text = readFileSync(join(folder, 'library.api.md'), 'utf8');
  for (const [, name] of text.matchAll(/^\/\/ @public \(undocumented\)\n(export [^\n]*)/gm)) {
    problems.push(`no comment says what it is: ${name}`);
  }
  if (!result.succeeded || problems.length > 0) throw new Error(problems.join('\n'));
  return text;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = mkdtempSync(join(tmpdir(), 'api-report-'));
  try {
    buildInto(folder);
    cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
    writeFileSync(API_REPORT, apiReport(folder));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
