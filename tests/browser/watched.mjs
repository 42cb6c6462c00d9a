// One browser context, and all that goes wrong in it.

import assert from 'node:assert/strict';
import { WAIT_MS } from '../clients/wait.mjs';

export class Watched {
  console = [];
  /** What is answered to the browser's own dialogs to come. */
  answers = [];

  constructor(play, context, account = {}) {
    Object.assign(this, { play, context }, account);
    this.context.setDefaultTimeout(WAIT_MS);
  }

  /** Opens the page in this context's first tab, and listens for trouble in this tab and in all that it opens. */
  async open(path = '/') {
    await this.context.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) => {
        console.error(`policy violation: ${event.effectiveDirective} ${event.blockedURI} ${event.sample}`);
      });
    });
    this.context.on('page', (page) => this.#watch(page));
    this.page = await this.context.newPage();
    // Not until `load`, for which the browser waits with scripts that a page adds: a poll over JSONP is one.
    await this.page.goto(path, { waitUntil: 'domcontentloaded' });
  }

  #watch(page) {
    page.on('pageerror', (error) => this.#note(`uncaught: ${error.stack ?? error}`, true));
    page.on('console', (line) => this.#note(`${line.type()}: ${line.text()} (${line.location().url})`, line.type() === 'error'));
    page.on('crash', () => this.#note('the tab crashed', true));
    page.on('dialog', (dialog) => {
      // The classic page asks by them; a test that expects one says what is answered.
      const answer = this.answers.shift();
      if (answer !== undefined) return void dialog.accept(answer);
      this.#note(`a ${dialog.type()} dialog: ${dialog.message()}`, true);
      dialog.dismiss().catch(() => {});
    });
  }

  #note(text, bad) {
    this.console.push(text);
    if (bad) this.play.problem(`${this.username ?? 'visitor'}: ${text}`);
  }

  /** No script of a stranger has run, in any tab or frame of this browser. */
  async assertUnharmed() {
    for (const page of this.context.pages()) {
      for (const frame of page.frames()) {
        const pwned = await frame.evaluate(() => window.__pwned);
        assert.equal(pwned, undefined, `a script ran in ${frame.url()}`);
      }
    }
  }
}
