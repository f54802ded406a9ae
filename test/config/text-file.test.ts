import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/config.ts';
import { fileFault, readTextFile } from '../../src/config/file/text-file.ts';
import { readOtlpTls } from '../../src/config/otlp/otlp-tls.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bgproutes-exporter-'));
});

afterAll(() => rmSync(folder, { recursive: true }));

function fileOf(content: string | Uint8Array): string {
  const path = join(folder, 'file');
  writeFileSync(path, content);
  return path;
}

function faultOf(path: string): string {
  try {
    readTextFile(path);
  } catch (error) {
    return fileFault(error);
  }
  return 'none';
}

describe('a text file', () => {
  it('is read whole, without its byte order mark', () => {
    expect(readTextFile(fileOf(''))).toBe('');
    expect(readTextFile(fileOf('\ufeffprefixes: []\r\n'))).toBe('prefixes: []\r\n');
    const large = 'näher '.repeat(500_000);
    expect(readTextFile(fileOf(large))).toBe(large);
  });

  it('is refused when it is no UTF-8, rather than read with replacement characters', () => {
    expect(faultOf(fileOf(Buffer.from('description: Kundennetz Zürich', 'latin1')))).toBe('it is not text in UTF-8');
    expect(faultOf(fileOf(Buffer.from('\ufeffprefixes: []', 'utf16le')))).toBe('it is not text in UTF-8');
  });

  it('is not read without end', () => {
    expect(faultOf('/dev/zero')).toBe('it is larger than 64 MiB');
  });

  it('is not waited for when it is a pipe to which nobody writes, and read when somebody does', () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    expect(readTextFile(pipe)).toBe('');
    // The writer opens its end when the reader has opened the other one, and takes its time.
    const script = `import { readTextFile } from './src/config/file/text-file.ts'; process.stdout.write(readTextFile('/dev/stdin'));`;
    const command = `(sleep 0.2; echo late) | '${process.execPath}' --import tsx --input-type=module -e "${script}"`;
    expect(execFileSync('sh', ['-c', command], { encoding: 'utf8' })).toBe('late\n');
  });

  it('has to be there, and a file', () => {
    expect(faultOf(join(folder, 'none'))).toBe('no such file');
    expect(faultOf(folder)).toBe('it is a folder');
    expect(faultOf(join(fileOf(''), 'x'))).toBe('a part of its path is no folder');
  });
});

describe('what the exporter is configured with', () => {
  it('is refused when it is no text: the configuration as well as a key', () => {
    const flags = { 'config.file': fileOf(Buffer.from('prefixes: [{prefix: 10.0.0.0/8, group: Zürich}]', 'latin1')) };
    const place = flags['config.file'];
    expect(() => loadConfig({ flags, env: { BGP_API_KEY: 'key-123456' } })).toThrow(
      `${place}: the configuration file cannot be read: it is not text in UTF-8`,
    );
    expect(() => loadConfig({ flags: { prefix: ['10.0.0.0/8'] }, env: { BGP_API_KEY_FILE: '/dev/zero' } })).toThrow(
      'BGP_API_KEY_FILE: the key file /dev/zero cannot be read: it is larger than 64 MiB',
    );
  });
});

describe('a key file', () => {
  it('is told with its path, unless that may be the key itself', () => {
    const load = (file: string) => loadConfig({ flags: { prefix: ['10.0.0.0/8'] }, env: { BGP_API_KEY_FILE: file } });
    mkdirSync(join(folder, 'secrets'));
    const missing = join(folder, 'secrets', 'key');
    expect(() => load(missing)).toThrow(`BGP_API_KEY_FILE: the key file ${missing} cannot be read: no such file`);
    for (const key of ['hidden', 'hid/den', 'hidden=='])
      expect(() => load(key)).toThrow(/^BGP_API_KEY_FILE: the key file cannot be read: /);
  });
});

describe('a certificate of OTLP', () => {
  it('has the same bound: a device without end does not end the exporter', () => {
    const tls = { caFile: '/dev/zero', certFile: undefined, keyFile: undefined };
    expect(() => readOtlpTls({ tls })).toThrow(/\/dev\/zero cannot be read: it is larger than 64 MiB/);
  });
});
