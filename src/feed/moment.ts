/** Something that happens again and again, and that others wait for. Costs nothing while nobody waits. */
export class Moment {
  #promise: Promise<void> | undefined;
  #resolve: () => void = () => {};

  /** Is fulfilled when it happens the next time. */
  get promise(): Promise<void> {
    this.#promise ??= new Promise((resolve) => {
      this.#resolve = resolve;
    });
    return this.#promise;
  }

  /** It happens now. */
  tell(): void {
    if (this.#promise === undefined) return;
    this.#promise = undefined;
    this.#resolve();
  }
}
