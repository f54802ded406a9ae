/**
 * The chart on a real API server whose namespace enforces the level `restricted`: installed, upgraded, rolled back, removed. The pods do not
 * run anything here; that they do is what the tests with containers show. Needs KUBECONFIG, helm, helm3 and kubectl.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { CHART } from '../../deploy/helm/generate.ts';

const NAMESPACE = `chart-${process.pid}`;
const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'chart-on-server-'));

async function kubectl(...parameters: string[]): Promise<string> {
  const { stdout } = await run('kubectl', ['--namespace', NAMESPACE, ...parameters], { maxBuffer: 64 << 20 });
  return stdout;
}

interface Item {
  readonly metadata: { readonly name: string; readonly uid: string; readonly deletionTimestamp?: string };
  readonly status: {
    readonly phase: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

async function list(kind: string): Promise<readonly Item[]> {
  const { items } = JSON.parse(await kubectl('get', kind, '--output', 'json')) as { items: Item[] };
  return items;
}

/** Both streams: what the server warns of is on the second. */
async function helm(program: 'helm' | 'helm3', ...parameters: string[]): Promise<string> {
  const { stdout, stderr } = await run(program, [
    ...parameters,
    '--namespace',
    NAMESPACE,
    '--wait',
    '--timeout',
    '90s',
  ]);
  return stdout + stderr;
}

const VALUES = ['--set', 'apiKey.existingSecret=bgp', '--set', 'config.prefixes[0].prefix=192.0.2.0/24'];
const everything = ['-f', join(CHART, 'ci', 'several-values.yaml')];

beforeAll(async () => {
  await run('kubectl', ['create', 'namespace', NAMESPACE]);
  const levels = ['enforce', 'warn'].map((mode) => `pod-security.kubernetes.io/${mode}=restricted`);
  await run('kubectl', ['label', 'namespace', NAMESPACE, ...levels]);
  await kubectl('create', 'secret', 'generic', 'bgp', '--from-literal=api-key=key-of-the-test');
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await run('kubectl', ['delete', 'namespace', NAMESPACE, '--wait=false']);
});

/** The one pod of the release, once it is ready. */
async function pod(): Promise<Item> {
  return vi.waitFor(
    async () => {
      const pods = await list('pods');
      expect(pods).toHaveLength(1);
      expect(pods[0]!.status.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('True');
      expect(pods[0]!.metadata.deletionTimestamp).toBeUndefined();
      return pods[0]!;
    },
    { timeout: 60_000, interval: 500 },
  );
}

describe('the chart on a server', () => {
  it('is installed, upgraded and rolled back, keeps its claim, and never has two pods', async () => {
    const installed = await helm('helm', 'upgrade', '--install', 'sample', CHART, ...VALUES);
    expect(installed).not.toMatch(/would violate|warning/i);
    const first = await pod();
    const [claim] = await list('pvc');
    expect(claim!.status.phase).toBe('Bound');

    // Another prefix is another file, and another file another pod.
    const most = watchPods();
    await helm('helm', 'upgrade', 'sample', CHART, ...VALUES, '--set', 'config.prefixes[1].prefix=198.51.100.0/24');
    const second = await vi.waitFor(
      async () => {
        const next = await pod();
        expect(next.metadata.uid).not.toBe(first.metadata.uid);
        return next;
      },
      { timeout: 60_000, interval: 500 },
    );
    // The same values are the same pod.
    await helm('helm', 'upgrade', 'sample', CHART, ...VALUES, '--set', 'config.prefixes[1].prefix=198.51.100.0/24');
    expect((await pod()).metadata.uid).toBe(second.metadata.uid);

    await helm('helm', 'rollback', 'sample', '1');
    await vi.waitFor(async () => expect((await pod()).metadata.uid).not.toBe(second.metadata.uid), {
      timeout: 60_000,
      interval: 500,
    });
    expect(await kubectl('get', 'configmap', 'sample-bgproutes-exporter', '--output', 'yaml')).not.toContain(
      '198.51.100.0/24',
    );
    expect(await most.stop()).toBe(1);
    expect((await list('pvc')).map(({ metadata }) => metadata.uid)).toEqual([claim!.metadata.uid]);

    await helm('helm', 'uninstall', 'sample');
    expect((await list('pvc')).map(({ metadata }) => metadata.uid)).toEqual([claim!.metadata.uid]);
    await kubectl('delete', 'pvc', '--all');
  });

  it('is installed by helm 3 too, with several exporters, a monitor, the rules and the dashboards', async () => {
    const installed = await helm('helm3', 'upgrade', '--install', 'several', CHART, ...everything);
    expect(installed).not.toMatch(/would violate|warning/i);
    await vi.waitFor(
      async () => expect((await list('pods')).filter(({ status }) => status.phase === 'Running')).toHaveLength(3),
      {
        timeout: 60_000,
        interval: 500,
      },
    );
    const found = await kubectl(
      'get',
      'podmonitor,prometheusrule,networkpolicy,poddisruptionbudget,configmap',
      '--output',
      'name',
    );
    for (const name of [
      'podmonitor.monitoring.coreos.com/',
      'prometheusrule.monitoring.coreos.com/',
      'networkpolicy.networking.k8s.io/',
    ]) {
      expect(found).toContain(`${name}several-bgproutes-exporter`);
    }
    expect(found.match(/configmap\/several-bgproutes-exporter-(?:overview|prefix|exporter)$/gm)).toHaveLength(3);
    await helm('helm3', 'uninstall', 'several');
  });
});

describe('what a server takes', () => {
  /** Every object as the server would keep it, and what it warns of. */
  async function applied(manifests: string): Promise<string> {
    const file = join(folder, 'all.yaml');
    writeFileSync(file, manifests);
    const { stdout, stderr } = await run('kubectl', [
      '--namespace',
      NAMESPACE,
      'apply',
      '--dry-run=server',
      '-f',
      file,
    ]);
    return stdout + stderr;
  }

  it.each(readdirSync(join(CHART, 'ci')))('is the chart with %s', async (sample) => {
    const parameters = ['template', 'dry', CHART, '--namespace', NAMESPACE, '-f', join(CHART, 'ci', sample)];
    const { stdout } = await run('helm', parameters, { maxBuffer: 64 << 20 });
    const said = await applied(stdout);
    expect(said).toMatch(/^statefulset\S+ created/m);
    expect(said).not.toMatch(/would violate|warning/i);
    // The level is seen here: a pod that may become root is told of.
    const looser = stdout.replaceAll('allowPrivilegeEscalation: false', 'allowPrivilegeEscalation: true');
    expect(await applied(looser)).toMatch(/would violate PodSecurity "restricted/);
  });

  it('is the overlay of kustomize', async () => {
    const { stdout } = await run('kubectl', ['kustomize', join(CHART, '..', '..', 'kustomize', 'example')], {
      maxBuffer: 64 << 20,
    });
    const said = await applied(stdout.replaceAll('namespace: bgp', `namespace: ${NAMESPACE}`));
    expect(said).toMatch(/^statefulset\S+ created/m);
    expect(said).not.toMatch(/would violate|warning/i);
  });
});

/** The most pods that were there at once and not on their way out. */
function watchPods(): { stop(): Promise<number> } {
  const stopped = new AbortController();
  let most = 0;
  const watching = (async () => {
    while (!stopped.signal.aborted) {
      const pods = await list('pods');
      most = Math.max(most, pods.filter(({ status }) => status.phase === 'Running').length);
    }
  })();
  return {
    stop: async () => {
      stopped.abort();
      await watching;
      return most;
    },
  };
}
