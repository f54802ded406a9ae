/** The simulator, assembled: what a `Simulator` is made of, and how its parts know each other. */
import { parsePrefix } from '../bgp/prefix.ts';
import { Audience, STAY_MS } from './audience.ts';
import { type Clock, ManualClock, systemClock, TimeStamper } from './clock.ts';
import type { Simulator, SimulatorOptions, SimulatorStats } from './contract.ts';
import { startChurn } from './internet/churn.ts';
import { DrivenRoutes } from './internet/driven-routes.ts';
import { Internet } from './internet/internet.ts';
import type { Route } from './internet/routes/route.ts';
import { Timeline } from './internet/timeline.ts';
import type { NewVantagePoint, SimulatedVantagePoint, VpStatus } from './internet/vantage-points.ts';
import { type HeldRouteOfVp, World } from './internet/world.ts';
import { ListenPlace } from './listen-place.ts';
import { loadRecording } from './recording/recording.ts';
import { Replay } from './recording/replay.ts';
import { DEMO_SCENARIO, LONG_SCENARIO } from './scenario/demo-scenario.ts';
import { EMPTY_SCENARIO, type Scenario, type StepNow } from './scenario/scenario.ts';
import { Steps } from './scenario/steps.ts';
import { SERVICE_LIMITS } from './services/bgproutes/api-quota.ts';
import { type Association, Associations } from './services/bgproutes/associations.ts';
import { DataApi } from './services/bgproutes/data-api.ts';
import { LiveManager } from './services/bgproutes/live-manager.ts';
import type { StreamMessage } from './services/bgproutes/stream-message.ts';
import { StreamServer } from './services/bgproutes/stream-server.ts';
import { Control } from './services/control.ts';
import { FaultInjector } from './services/faults.ts';
import { requestUrl } from './services/http-exchange.ts';
import { SimulatorHttpServer } from './services/http-server.ts';
import { Ripestat } from './services/ris/ripestat.ts';
import { RisLiveServer } from './services/ris/ris-live.ts';
import { isRisPeer } from './services/ris/ris-message.ts';
import { RtrServer } from './services/rpki/rtr-server.ts';
import { Validator } from './services/rpki/validator.ts';
import type { SimulatedSource } from './services/source-names.ts';
import { stateOf } from './state.ts';

/** How long the generated Internet has been there when it starts: longer than any exporter asks back (table.expected_window). */
const PAST_MS = 31 * 86_400_000;

export class RunningSimulator implements Simulator {
  readonly faults: FaultInjector;
  readonly #options: SimulatorOptions;
  readonly #clock: Clock;
  readonly #world: World;
  readonly #internet: Internet;
  readonly #driven: DrivenRoutes;
  readonly #timeline: Timeline;
  readonly #steps: Steps;
  readonly #associations: Associations;
  readonly #stream: StreamServer;
  readonly #risLive: RisLiveServer;
  readonly #http: SimulatorHttpServer;
  readonly #rtr: RtrServer;
  readonly #stamper: TimeStamper;
  readonly #scenario: Scenario;
  readonly #apiKeys: ReadonlySet<string>;
  readonly #audience: Audience;
  readonly #place: ListenPlace;
  readonly #rtrPlace: ListenPlace | undefined;
  #replay: Replay | undefined;
  #skippedLines = 0;
  #stopping: Promise<void> | undefined;

  constructor(options: SimulatorOptions) {
    this.#options = options;
    const { listen = '127.0.0.1:0', rtrListen } = options;
    this.#place = new ListenPlace('listen', listen);
    this.#rtrPlace = rtrListen === undefined ? undefined : new ListenPlace('rtrListen', rtrListen);
    const clock = options.clock ?? systemClock;
    const logger = options.logger;
    this.#clock = clock;
    this.#stamper = new TimeStamper(clock);
    this.#apiKeys = new Set(options.apiKeys);
    this.#scenario = options.scenario ?? (options.replay === undefined ? DEMO_SCENARIO : EMPTY_SCENARIO);
    const seed = options.seed ?? this.#scenario.seed ?? 1;
    const vps = options.vps ?? this.#scenario.vps ?? 300;
    const speed = options.speed ?? 1;
    this.#world = new World({
      stamper: this.#stamper,
      historyLimit: options.historyLimit ?? 200_000,
      sinceUs: options.replay === undefined ? (clock.now() - PAST_MS) * 1000 : undefined,
      withdrawStyle: this.#withdrawStyle,
      publish: (message, timeUs) => this.#publish(message, timeUs),
      onSession: (vp, isUp, timeUs) => this.#risLive.peerState(vp, isUp, timeUs),
    });
    this.#associations = new Associations(
      {
        maxPrefixes: options.maxPrefixes ?? 10,
        ttlMs: options.associationTtlMs ?? 4 * 3_600_000,
        now: () => clock.now(),
      },
      this.#world.prefixes,
    );
    this.#stream = new StreamServer({
      apiKeys: this.#apiKeys,
      associations: this.#associations,
      maxPendingBytes: options.maxPendingBytes ?? 64 * 1024 * 1024,
      heartbeatMs: options.heartbeatMs ?? 20_000,
      logger,
      sessionTakesList: options.sessionTakesList ?? true,
      acceptsWithoutPrefixes: options.acceptsWithoutPrefixes ?? true,
      lingerMs: options.sessionLingerMs ?? 0,
      now: () => clock.now(),
      onReady: (session) => this.#audience.ready(session, () => false),
    });
    this.#audience = new Audience({
      stream: this.#stream,
      world: this.#world,
      stamper: this.#stamper,
      replay: () => this.#replay,
      sessionsBeforeReplay: options.sessionsBeforeReplay ?? 1,
      announces: options.announceOnSubscribe ?? false,
    });
    this.#risLive = new RisLiveServer({
      points: this.#world.points,
      prefixes: this.#world.prefixes,
      isUp: (vp) => this.#world.statusOf(vp) !== 'down',
      maxPendingBytes: options.maxPendingBytes ?? 64 * 1024 * 1024,
      nowUs: () => this.#stamper.nextUs(),
      schedule: (callback, delayMs) => clock.schedule(callback, delayMs),
      logger,
      onPrefix: (prefix) => {
        if (this.#scenario.generate_unknown_prefixes ?? true) this.#internet.generate(prefix);
        this.#rtr.changed();
        // A recording waits for somebody who hears it.
        setTimeout(() => this.#replay?.start(), STAY_MS).unref();
      },
    });
    const ripestat = new Ripestat({
      points: this.#world.points,
      prefixes: this.#world.prefixes,
      store: this.#world.store,
      isListed: (vp) => this.#world.isListed(vp),
      now: () => clock.now(),
      lagMs: options.dataApiLagMs ?? 0,
    });
    this.#timeline = new Timeline({ clock, speed, backpressure: () => this.#stream.backpressure() });
    this.#internet = new Internet({
      world: this.#world,
      timeline: this.#timeline,
      seed,
      vps,
      scenario: this.#scenario,
      maxGeneratedPrefixes: options.maxGeneratedPrefixes ?? 10_000,
    });
    this.#driven = new DrivenRoutes(this.#world, this.#internet);
    this.#steps = new Steps({
      world: this.#world,
      internet: this.#internet,
      timeline: this.#timeline,
      seed,
      sources: {
        down: (source) => this.faults.sourceDown(source),
        up: (source) => this.faults.sourceUp(source),
        heard: (source) => this.#heardThrough(source),
      },
      signedChanged: () => this.#rtr.changed(),
      onStep: (report) => {
        logger?.info(report.text, { counted: report.counted, before: report.vpsBefore, after: report.vpsAfter });
        options.onStep?.(report);
      },
    });
    startChurn({
      world: this.#world,
      internet: this.#internet,
      timeline: this.#timeline,
      seed,
      eventsPerMinute: this.#scenario.churn_per_minute ?? 120,
    });
    this.faults = new FaultInjector({
      apiKeys: options.apiKeys,
      stream: this.#stream,
      risLive: this.#risLive,
      ripestat,
      associations: this.#associations,
      world: this.#world,
      goDown: () => this.#goDown(),
      comeBack: () => this.#listen(),
    });
    const validator = new Validator({ internet: () => this.#internet, now: () => clock.now() });
    this.#rtr = new RtrServer(() => validator.signed());
    this.#http = new SimulatorHttpServer({
      dataApi: new DataApi({
        apiKeys: this.#apiKeys,
        points: this.#world.points,
        prefixes: this.#world.prefixes,
        store: this.#world.store,
        statusOf: (vp) => this.#world.statusOf(vp),
        isListed: (vp) => this.#world.isListed(vp),
        now: () => clock.now(),
        lagMs: options.dataApiLagMs ?? 0,
        latencyMs: options.dataApiLatencyMs ?? 5,
        limits: { ...SERVICE_LIMITS, ...options.dataApiLimits },
        strictFilter: options.dataApiStrictFilter ?? false,
        times: options.dataApiTimes ?? 'fractional_seconds',
      }),
      faults: () => this.faults,
      ripestat,
      validator,
      liveManager: new LiveManager({
        apiKeys: this.#apiKeys,
        associations: this.#associations,
        associated: (key, association, before) => this.#associated(key, association, before),
      }),
      control:
        options.control === true
          ? new Control({
              faults: () => this.faults,
              step: (step) => this.step(step),
              state: () => stateOf(this, this.#world),
            })
          : undefined,
      upgrade: (request, socket, head) => {
        const isRis = /^\/v1\/ws\/?$/.test(requestUrl(request).pathname);
        (isRis ? this.#risLive : this.#stream).handleUpgrade(request, socket, head);
      },
      failed: (error) => logger?.error('request failed', { error: String(error) }),
      now: options.dateHeader ?? (() => clock.now()),
    });
  }

  #heardThrough(source: SimulatedSource): number {
    if ((source === 'bgproutes' ? this.#stream : this.#risLive).isRefusing) return 0;
    const live = this.#world.liveVantagePoints();
    return source === 'bgproutes' ? live.length : live.filter(isRisPeer).length;
  }

  get #withdrawStyle() {
    return { key: this.#options.withdrawKey ?? 'withdraws', asArray: this.#options.withdrawAsArray ?? false };
  }

  async start(): Promise<void> {
    const { replay, logger } = this.#options;
    try {
      if (replay !== undefined) await this.#loadReplay(replay);
      await this.#listen();
      const rtr = this.#rtrPlace;
      if (rtr !== undefined) rtr.port = await this.#rtr.listen(rtr.interface, rtr.port);
    } catch (error) {
      await this.stop();
      throw error;
    }
    logger?.info('simulator listens', { address: `${this.#place.host}:${this.#place.port}` });
    const isLooping = this.#options.loop ?? true;
    const { steps, loop_every: lengthMs } = this.#scenario;
    const { nextScenario = this.#scenario === DEMO_SCENARIO ? LONG_SCENARIO : this.#scenario } = this.#options;
    const next = { steps: nextScenario.steps, lengthMs: nextScenario.loop_every };
    this.#steps.schedule({ steps, lengthMs: isLooping ? lengthMs : undefined }, next);
    const { begins } = this.#options;
    if (begins === undefined) this.#timeline.start();
    else void begins.then(() => this.#timeline.start());
  }

  async #loadReplay(path: string): Promise<void> {
    const timestamps = this.#options.timestamps ?? 'now';
    const recording = await loadRecording(path, {
      world: this.#world,
      timestamps,
      withdrawStyle: this.#options.withdrawKey === undefined ? undefined : this.#withdrawStyle,
      maxBytes: this.#options.maxRecordingBytes ?? 512 * 1024 * 1024,
    });
    this.#skippedLines = recording.skippedLines;
    const { messages, loadedRoutes, skippedLines } = recording;
    this.#options.logger?.info('recording loaded', { messages: messages.length, loadedRoutes, skippedLines });
    this.#replay = new Replay({
      recording,
      world: this.#world,
      clock: this.#clock,
      stamper: this.#stamper,
      speed: this.#options.speed ?? 1,
      loop: this.#options.loop ?? false,
      timestamps,
      publish: (message: StreamMessage, timeUs: number) => this.#publish(message, timeUs),
      flush: () => this.#stream.flush(),
      backpressure: () => this.#stream.backpressure(),
    });
  }

  async #listen(): Promise<void> {
    const place = this.#place;
    place.port = (await this.#http.listen(place.interface, place.port)).port;
  }

  #goDown(): Promise<void> {
    this.#stream.cutAll();
    this.#risLive.cut();
    return this.#http.close();
  }

  #publish(message: StreamMessage, timeUs: number): void {
    this.#stream.publish(message, timeUs);
    this.#risLive.publish(message, timeUs);
  }

  /** The key has a new list; what of it nobody knows yet is made up. */
  #associated(key: string, association: Association, before: Association | undefined): void {
    if (this.#scenario.generate_unknown_prefixes ?? true) {
      for (const prefix of association.prefixes) this.#internet.generate(prefix.text);
      this.#rtr.changed();
    }
    this.#options.logger?.info('prefixes associated', { prefixes: association.prefixes.length });
    this.#audience.associated(key, before);
  }

  get url(): string {
    return `http://${this.#place.authority}`;
  }

  get websocketUrl(): string {
    return `ws://${this.#place.authority}`;
  }

  get port(): number {
    return this.#place.port;
  }

  get rtrPort(): number {
    return this.#rtrPlace?.port ?? 0;
  }

  get stats(): SimulatorStats {
    return {
      ...this.#stream.counts,
      dropped: { ...this.#stream.counts.dropped },
      evictedHistoryEvents: this.#world.store.evictedEvents,
      refusedPrefixes: this.#internet.refusedPrefixes,
      replayedMessages: this.#replay?.sent ?? 0,
      skippedLines: this.#skippedLines,
    };
  }

  get replayFinished(): Promise<void> {
    return this.#replay?.finished ?? Promise.resolve();
  }

  prefixes(): readonly string[] {
    return this.#world.prefixes.all.map(({ text }) => text);
  }

  vantagePoints(): readonly SimulatedVantagePoint[] {
    return this.#world.points.all;
  }

  addVantagePoint(vp: NewVantagePoint): SimulatedVantagePoint {
    return this.#world.points.add(vp);
  }

  statusOf(vpKey: string): VpStatus {
    return this.#world.statusOf(this.#driven.vp(vpKey));
  }

  setStatus(vpKey: string, status: VpStatus): void {
    this.#world.setStatus(this.#driven.vp(vpKey), status);
  }

  routes(options?: { readonly includeHistoryOnly?: boolean }): Iterable<HeldRouteOfVp> {
    return this.#world.routes(options);
  }

  visibleVps(prefix: string): number {
    const number = this.#world.prefixes.find(parsePrefix(prefix)?.text ?? '');
    return number === undefined ? 0 : this.#world.store.visible(number);
  }

  announce(vpKey: string, prefixes: string | readonly string[], route: Pick<Route, 'asPath'> & Partial<Route>): void {
    this.#driven.announce(vpKey, prefixes, route);
  }

  withdraw(vpKey: string, prefixes: string | readonly string[]): void {
    this.#driven.withdraw(vpKey, prefixes);
  }

  step(step: StepNow): void {
    this.#steps.run(step, 0);
  }

  advance(ms: number): void {
    if (!(this.#clock instanceof ManualClock)) throw new TypeError('advance needs a ManualClock');
    this.#clock.advance(ms);
  }

  associatedPrefixes(key: string): readonly string[] {
    return this.#associations.of(key)?.prefixes.map((prefix) => prefix.text) ?? [];
  }

  sessions(key?: string): number {
    return this.#stream.sessions(key).length;
  }

  stop(): Promise<void> {
    if (this.#stopping === undefined) {
      this.#timeline.stop();
      this.#replay?.stop();
      this.#stream.stop();
      this.#risLive.stop();
      this.#stopping = Promise.all([this.#http.close(), this.#rtr.close()]).then(() => {});
    }
    return this.#stopping;
  }
}
