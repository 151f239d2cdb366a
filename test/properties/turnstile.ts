/**
 * Activities run beside each other; what people do, and what happens to the fleet, runs alone. So a check right after an
 * activity sees what the activity saw, as in a world in which nothing happens at exactly the same moment.
 */
export class Turnstile {
  readonly #inside = new Set<Promise<unknown>>();
  #closed: Promise<void> | null = null;

  /** Does something beside whatever else is done together; once nothing that runs alone is under way. */
  async together<T>(work: () => Promise<T>): Promise<T> {
    while (this.#closed !== null) await this.#closed;
    const running = work();
    this.#inside.add(running);
    try {
      return await running;
    } finally {
      this.#inside.delete(running);
    }
  }

  /** Does something while nothing else is done, one such thing at a time. */
  async alone(work: () => Promise<void> | void): Promise<void> {
    while (this.#closed !== null) await this.#closed;
    let open = () => {};
    this.#closed = new Promise((resolve) => {
      open = () => {
        this.#closed = null;
        resolve();
      };
    });
    try {
      await Promise.allSettled(this.#inside);
      await work();
    } finally {
      open();
    }
  }
}
