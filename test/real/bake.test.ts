/** docker-bake.hcl, read by a parser of its language, against what it must agree with. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { hasProgram } from '../alerts/engine.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string) => readFileSync(ROOT + path, 'utf8');

type Block = Readonly<Record<string, unknown>>;

/** python-hcl2 keeps the quotes of texts, and of labels. */
function unquoted(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(/^"(.*)"$/s, '$1');
  if (Array.isArray(value)) return value.map(unquoted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== '__is_block__')
      .map(([key, each]) => [unquoted(key), unquoted(each)]),
  );
}

/** A target with what it inherits. */
function resolved(targets: ReadonlyMap<string, Block>, name: string): Block {
  const target = targets.get(name)!;
  const inherited = (target.inherits ?? []) as readonly string[];
  return Object.assign({}, ...inherited.map((parent) => resolved(targets, parent)), target) as Block;
}

describe.skipIf(!hasProgram('hcl2tojson', '--help'))('docker-bake.hcl', () => {
  const text = read('docker-bake.hcl');
  const file = unquoted(
    JSON.parse(execFileSync('hcl2tojson', ['docker-bake.hcl'], { cwd: ROOT, encoding: 'utf8', stdio: 'pipe' })),
  ) as {
    variable: Record<string, { default: string }>[];
    group: Record<string, Block>[];
    target: Record<string, Block>[];
  };
  const variables = new Map(file.variable.flatMap((each) => Object.entries(each)));
  const targets = new Map(file.target.flatMap((each) => Object.entries(each)));
  const local = resolved(targets, 'local');
  const release = resolved(targets, 'release');

  it('gives each argument of the Dockerfile a variable of its name, and no other', () => {
    const wanted = [...read('Dockerfile').matchAll(/^ARG (\w+)/gm)].map(([, name]) => name!).sort();
    const given = release.args as Readonly<Record<string, string>>;
    expect(Object.keys(given).sort()).toEqual(wanted);
    for (const [name, variable] of Object.entries(given)) expect(variable).toBe(name);
    expect(variables.get('NODE_IMAGE')?.default).toBe(/^ARG NODE_IMAGE=(\S+)$/m.exec(read('Dockerfile'))?.[1]);
  });

  it('knows every variable and every target that it names', () => {
    const named = [...text.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name!);
    const args = Object.values(local.args as Readonly<Record<string, string>>);
    expect([...named, ...args].filter((name) => !variables.has(name))).toEqual([]);
    const groups = file.group.flatMap((each) => Object.values(each)).flatMap(({ targets }) => targets as string[]);
    const parents = [...targets.values()].flatMap(({ inherits }) => (inherits ?? []) as string[]);
    expect([...groups, ...parents].filter((name) => !targets.has(name))).toEqual([]);
  });

  it('a release is for two processors, with SBOM and provenance; a build of one machine stays there', () => {
    expect(release).toMatchObject({
      context: '.',
      platforms: ['linux/amd64', 'linux/arm64'],
      attest: ['type=sbom', 'type=provenance,mode=max'],
      output: ['type=image'],
    });
    expect(local.output).toEqual(['type=docker']);
    expect(String(release.tags)).toMatch(/^\$\{IMAGE\}:\$\{VERSION\}$/);
  });

  it('its version is that of the package, its annotations those labels of the image that vary', () => {
    expect(variables.get('VERSION')?.default).toBe(JSON.parse(read('package.json')).version);
    const labels = new Map(
      [...read('Dockerfile').matchAll(/(org\.opencontainers\.image\.\w+)="([^"]*)"/g)].map(([, key, value]) => [
        key,
        value,
      ]),
    );
    const annotations = (release.annotations as readonly string[]).map((each) =>
      /^index,manifest:([^=]+)=(.*)$/.exec(each)!.slice(1),
    );
    expect(annotations.length).toBeGreaterThan(0);
    for (const [key, value] of annotations) expect(labels.get(key), key).toBe(value);
  });

  it('the workflow of a release sets only its variables, builds a target of it, and reads the digest of that', () => {
    const { jobs } = parse(read('.github/workflows/release.yml'));
    const { run, env } = jobs.image.steps.find(({ id }: { id?: string }) => id === 'bake');
    const [, line] = /^([^\n]*(?:\\\n[^\n]*)*docker buildx bake[^\n]*)$/m.exec(run)!;
    const set = [...line!.matchAll(/\b([A-Z_]+)=/g)].map(([, name]) => name!);
    expect([...set, ...Object.keys(env)].sort()).toEqual(
      // What a release is built with is the default: Debian's Node, and no client of Kafka.
      [...variables.keys()].filter((name) => name !== 'NODE_IMAGE' && name !== 'WITH_KAFKA').sort(),
    );
    const [, built] = /docker buildx bake .*?(\w+)$/m.exec(line!)!;
    expect(targets.has(built!)).toBe(true);
    expect(run).toContain(`jq -r '.${built}."containerimage.digest"'`);
  });
});
