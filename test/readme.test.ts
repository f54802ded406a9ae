/** What the README and its neighbours say is true: keys, defaults, commands, metrics, links. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type Config, loadConfig } from '../src/config/config.ts';
import { ConfigError } from '../src/errors.ts';
import { ownMetrics } from '../src/metrics/catalogue.ts';
import { startProgram } from './support/program.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const ENV = { BGP_API_KEY: 'key-of-the-readme' };

/** The example of a whole configuration. */
const EXAMPLE = [...README.matchAll(/```yaml\n(.*?)```/gs)].map(([, yaml]) => yaml).find((yaml) => /^web:/m.test(yaml));

function load(yaml: string): Config {
  // As an ingest reads it: in a fleet only that needs keys.
  return loadConfig({ flags: { 'config.file': '/etc/bgp.yml' }, env: ENV, readFile: () => yaml, use: 'ingest' });
}

/** The keys that a section knows, by its own word. */
function keysOf(section: string): readonly string[] {
  try {
    load(section === '' ? 'no_such_key_at_all: 1\n' : `${section}: {no_such_key_at_all: 1}\n`);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const [, keys] = /no_such_key_at_all: unknown key, expected one of (.*)$/m.exec(error.message) ?? [];
    if (keys !== undefined) return keys.split(', ');
  }
  throw new Error(`no keys of ${section}`);
}

function section(markdown: string, heading: string): string {
  const start = markdown.indexOf(`\n${heading}\n`);
  expect(start).toBeGreaterThan(0);
  const level = heading.slice(0, heading.indexOf(' ') + 1);
  const end = markdown.indexOf(`\n${level}`, start + heading.length);
  return markdown.slice(start, end === -1 ? undefined : end);
}

describe('the configuration of the README', () => {
  it('is right, and its values are the defaults where it does not stand for an example', () => {
    const { web, table, bgproutes, risLive, log, storage } = load(EXAMPLE ?? '');
    const plain = load('prefixes: [{prefix: 192.0.2.0/24}]\n');
    expect({ web, table, log, risLive }).toEqual({
      web: plain.web,
      table: plain.table,
      log: plain.log,
      risLive: plain.risLive,
    });
    expect({ ...bgproutes, canaryPrefix: undefined }).toEqual(plain.bgproutes);
    expect(storage.snapshotIntervalMs).toBe(plain.storage.snapshotIntervalMs);
  });

  it('has every key, but for those of OTLP, which are in their own document', () => {
    const missing = keysOf('').filter((key) => !new RegExp(`^${key}:`, 'm').test(EXAMPLE ?? ''));
    expect(missing).toEqual([]);
    for (const name of keysOf('').filter((key) => !['prefixes', 'sources', 'proxy_url', 'otlp'].includes(key))) {
      const [part] = new RegExp(`^${name}:.*?(?=^\\w)`, 'ms').exec(`${EXAMPLE}end:\n`) ?? [''];
      expect(keysOf(name).filter((key) => !new RegExp(`\\b${key}\\b`).test(part))).toEqual([]);
    }
    const otlp = readFileSync(join(ROOT, 'docs/otlp.md'), 'utf8');
    expect(keysOf('otlp').filter((key) => !new RegExp(`\\b${key}\\b`).test(otlp))).toEqual([]);
  });
});

describe('the tables of the README', () => {
  it('name every command', async () => {
    const program = startProgram(['--help']);
    expect(await program.exit).toBe(0);
    const [, list] = /Commands:\n(.*?)\n\n/s.exec(program.stdout()) ?? [];
    // A summary may go on in the next line, further to the right.
    const commands = [...list.matchAll(/^ {2}(\S+)/gm)].map(([, name]) => name);
    expect(commands).toContain('serve');
    const table = section(README, '### Commands');
    expect(commands.filter((name) => name !== 'help' && !new RegExp(`\`[^\`]*\\b${name}\\b`).test(table))).toEqual([]);
  });

  it('name metrics that there are, with their labels', () => {
    const known = new Map(ownMetrics.map((metric) => [metric.name, metric.labels]));
    const named = [...README.matchAll(/`(bgp_[a-z0-9_]+)(?:\{([^}]*)\})?`/g)];
    expect(named.length).toBeGreaterThan(15);
    for (const [, name, labels] of named) {
      expect(known.has(name), name).toBe(true);
      if (labels === undefined || labels.startsWith('…')) continue;
      expect(labels.split(','), name).toEqual(known.get(name));
    }
  });
});

describe('links', () => {
  const documents = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md'].concat(
    readdirSync(join(ROOT, 'docs'))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`),
  );

  /** As GitHub makes them from headings. */
  function anchorsOf(markdown: string): Set<string> {
    const headings = [...markdown.replace(/```.*?```/gs, '').matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading);
    return new Set(
      headings.map((heading) =>
        heading
          .toLowerCase()
          .replace(/[^\p{L}\p{N}\s_-]/gu, '')
          .replace(/\s/g, '-'),
      ),
    );
  }

  it.each(documents)('of %s lead somewhere', (document) => {
    const text = readFileSync(join(ROOT, document), 'utf8');
    const links = [...text.replace(/```.*?```/gs, '').matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link);
    const broken = links.filter((link) => {
      if (/^https?:/.test(link)) return !URL.canParse(link);
      const [path, anchor] = link.split('#');
      const target = path === '' ? join(ROOT, document) : join(ROOT, dirname(document), path);
      if (relative(ROOT, target).startsWith('..') || !existsSync(target)) return true;
      return anchor !== undefined && !anchorsOf(readFileSync(target, 'utf8')).has(anchor);
    });
    expect(broken).toEqual([]);
  });
});
