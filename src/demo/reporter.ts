import { wantsColor } from '../client/view/index.ts';

/** What the demo tells: lines, and while the tree is drawn notes below it. */
export class Reporter {
  readonly out: NodeJS.WriteStream;
  readonly #color: boolean;
  #notes: string[] | null = null;

  constructor(out: NodeJS.WriteStream) {
    this.out = out;
    this.#color = wantsColor(out.isTTY);
  }

  /** True on a terminal that a tree can be drawn in. */
  get tty(): boolean {
    return this.out.isTTY && process.env['TERM'] !== 'dumb';
  }

  /** One line; several, where there are line feeds. */
  line(text = ''): void {
    this.out.write(`${text}\n`);
  }

  heading(text: string): void {
    this.line(this.#color ? `\u001B[1m${text}\u001B[0m` : text);
  }

  /** Something that happened by the way: a line now, or a note while the tree is drawn. */
  readonly tell = (text: string): void => {
    if (this.#notes === null) this.line(text);
    else this.#notes.push(text);
  };

  /** The notes to draw below the tree. */
  readonly notes = (): readonly string[] => this.#notes ?? [];

  /** While `work` draws a tree, what happens by the way becomes notes. */
  async whileDrawing<T>(work: () => Promise<T>): Promise<T> {
    if (this.tty) this.#notes = [];
    try {
      return await work();
    } finally {
      this.#notes = null;
    }
  }
}

/** Names and values in two columns, indented. */
export function table(rows: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`).join('\n');
}
