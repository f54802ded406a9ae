import { describe, expect, it } from 'vitest';
import { parseGoDuration } from '../../../src/config/web/go-duration.ts';
import { loadWebConfig } from '../../../src/config/web/load-web-config.ts';
import type { WebConfig } from '../../../src/config/web/web-config.ts';
import { ConfigError } from '../../../src/errors.ts';
import { makeCertificate } from '../../support/certificates.ts';
import { filesOfCases, WEB_CASES } from './cases.ts';

const FILES = filesOfCases(makeCertificate('server'), makeCertificate('other'));

function load(yaml: string): WebConfig {
  const files: Readonly<Record<string, string>> = { ...FILES, 'web.yml': yaml };
  return loadWebConfig('web.yml', (path) => {
    const text = files[path];
    if (text === undefined) throw Object.assign(new Error(`cannot open ${path}`), { code: 'ENOENT' });
    return text;
  });
}

function problemsOf(yaml: string): readonly string[] {
  try {
    load(yaml);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('a web configuration', () => {
  it.each(WEB_CASES)('$name', ({ yaml, problem }) => {
    const problems = problemsOf(yaml);
    if (problem === undefined) expect(problems).toEqual([]);
    else {
      expect(problems[0]).toMatch(/^web\.yml:\d+:\d+: /);
      expect(problems[0]).toContain(problem);
    }
  });

  it('that is not there is named', () => {
    expect(() => loadWebConfig('/nowhere/web.yml')).toThrow(
      '/nowhere/web.yml: the web configuration file cannot be read: ',
    );
  });

  it('is told as a whole, whatever else is wrong with it', () => {
    const yaml = `tls_server_config:
  cert_file: gone.crt
  key_file: server.key
  client_ca_file: notes.txt
http_server_config: {http3: true}
basic_auth_users: {alice: secret-of-alice}
rate_limit: {interval: 1 s}
`;
    const problems = problemsOf(yaml);
    expect(problems.map((problem) => problem.split(': ')[1])).toEqual([
      'tls_server_config.cert_file',
      'tls_server_config.client_ca_file',
      'http_server_config.http3',
      'basic_auth_users.alice',
      'rate_limit.interval',
    ]);
    expect(problems.join('\n')).not.toContain('secret-of-alice');
  });

  it('never shows a private key or a hash', () => {
    const text = FILES['server.key'].replace(/\n/g, '\\n');
    const problems = problemsOf(`tls_server_config: {cert: "${text}", key: [1], client_auth_type: "${text}x"}\n`).join(
      '\n',
    );
    expect(problems).not.toBe('');
    expect(problemsOf(`tls_server_config: {cert: "${text}", key: "${text}"}\n`).join('\n')).not.toContain('BEGIN');
  });

  it('takes certificate, key and CA from the file itself; a file wins over a text', () => {
    const pem = (name: string) => JSON.stringify(FILES[name]);
    const yaml = `tls_server_config: {cert: ${pem('server.crt')}, cert_file: server.crt, key: ${pem('other.key')}, key_file: server.key}\n`;
    expect(load(yaml).tls?.context.key).toBe(FILES['server.key']);
  });

  it('gives OpenSSL its own names', () => {
    const yaml = `tls_server_config:
  cert_file: server.crt
  key_file: server.key
  min_version: TLS10
  cipher_suites: [TLS_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256]
  curve_preferences: [CurveP384, X25519]
`;
    expect(load(yaml).tls?.context).toMatchObject({
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.3',
      ciphers: 'ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:@SECLEVEL=0',
      ecdhCurve: 'P-384:X25519',
      honorCipherOrder: true,
    });
  });

  it('has the rate limit of Go: off at an interval of 0 and below', () => {
    expect(load('rate_limit: {interval: 0, burst: 5}').rateLimit).toBeUndefined();
    expect(load('rate_limit: {interval: -1s, burst: 5}').rateLimit).toBeUndefined();
    expect(load('rate_limit: {interval: 1s, burst: 5}').rateLimit).toEqual({ intervalMs: 1000, burst: 5 });
  });
});

it.each([
  ['0', 0],
  ['1500000', 1.5],
  ['1s', 1_000],
  ['1h30m', 5_400_000],
  ['1.5h', 5_400_000],
  ['500ms', 500],
  ['-2s', -2_000],
  ['.5s', 500],
  ['2us', 0.002],
  ['', undefined],
  ['1d', undefined],
  ['1 s', undefined],
  ['s', undefined],
])('the duration %j of Go is %s ms', (text, ms) => {
  const parsed = parseGoDuration(text);
  if (ms === undefined) expect(parsed).toBeUndefined();
  else expect(parsed).toBeCloseTo(ms, 9);
});
