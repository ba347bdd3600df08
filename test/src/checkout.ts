import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('../..', import.meta.url));

/** As where its output is a terminal. */
export const curlSettings = 'no-progress-meter\n';

/** This checkout once more, by links, in a folder of its own: what is written beside package.json is written there. */
export class Checkout {
  readonly #folder = mkdtempSync(join(tmpdir(), 'pullwire-checkout-'));
  readonly path = join(this.#folder, 'pullwire');
  /** `HOME` of whoever works there. */
  readonly home = join(this.#folder, 'home');

  constructor() {
    mkdirSync(this.path);
    mkdirSync(this.home);
    writeFileSync(join(this.home, '.curlrc'), curlSettings);
    const { workspaces } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
      workspaces: string[];
    };
    for (const name of ['package.json', '.npmrc', 'scripts', 'node_modules', ...workspaces]) {
      symlinkSync(join(repository, name), join(this.path, name));
    }
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }
}
