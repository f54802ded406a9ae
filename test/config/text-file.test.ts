import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/config.ts';
import { readOtlpTls } from '../../src/config/otlp-tls.ts';
import { fileFault, readTextFile } from '../../src/config/text-file.ts';

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
      'BGP_API_KEY_FILE: the key file cannot be read: it is larger than 64 MiB',
    );
  });
});

describe('a certificate of OTLP', () => {
  it('has the same bound: a device without end does not end the exporter', () => {
    const tls = { caFile: '/dev/zero', certFile: undefined, keyFile: undefined };
    expect(() => readOtlpTls({ tls })).toThrow(/\/dev\/zero cannot be read: it is larger than 64 MiB/);
  });
});
