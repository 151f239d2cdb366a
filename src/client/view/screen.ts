const HIDE_CURSOR = '\u001B[?25l';
const SHOW_CURSOR = '\u001B[?25h';
const CLEAR_LINE_END = '\u001B[K';
const CLEAR_BELOW = '\u001B[J';
const CLEAR_ALL = '\u001B[2J\u001B[H';

/** What the screen needs of a terminal. */
export type Terminal = NodeJS.WritableStream & { columns?: number; rows?: number };

/** Draws texts in place of one another at the bottom of what a terminal shows; the last one stays. */
export class Screen {
  readonly #out: Terminal;
  #drawn = 0;
  #open = true;
  readonly #onResize = () => {
    // The terminal has wrapped what was drawn in its own way: where it begins is no longer known.
    if (this.#drawn > 0) this.#out.write(CLEAR_ALL);
    this.#drawn = 0;
  };
  readonly #onSignal = (signal: NodeJS.Signals) => {
    this.close();
    // With nobody else to handle it the signal is to do what it would have done without us.
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  };
  readonly #onExit = () => this.close();

  constructor(out: Terminal) {
    this.#out = out;
    out.write(HIDE_CURSOR);
    out.on('resize', this.#onResize);
    process.once('exit', this.#onExit);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, this.#onSignal);
  }

  get columns(): number {
    return this.#out.columns ?? 80;
  }

  /** Lines that can be drawn without the terminal scrolling: one is left for the cursor. */
  get rows(): number {
    return Math.max(1, (this.#out.rows ?? 24) - 1);
  }

  /** Replaces what was drawn before. In one write, so that nothing half drawn is seen. */
  draw(text: string): void {
    if (!this.#open) return;
    const up = this.#drawn > 0 ? `\u001B[${this.#drawn}A\r` : '\r';
    const lines = text.split('\n');
    this.#out.write(`${up}${lines.map((line) => `${line}${CLEAR_LINE_END}\n`).join('')}${CLEAR_BELOW}`);
    this.#drawn = lines.length;
  }

  /** Gives the cursor back. Calling it again is harmless. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#out.write(SHOW_CURSOR);
    this.#out.off('resize', this.#onResize);
    process.off('exit', this.#onExit);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, this.#onSignal);
  }
}
