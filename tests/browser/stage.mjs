// A server and a browser per test file, a context per person, and an eye on everything that goes wrong meanwhile.

import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { Actor } from './actor.mjs';
import { connect, newest } from '../clients/client.mjs';
import { ok } from '../clients/people.mjs';
import { startServer } from '../clients/server.mjs';

const PASSWORD = 'secret-111111';
const WIDE = { width: 1280, height: 800 };
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };
const FAILURES = join(import.meta.dirname, 'failures');

/**
 * Prepares the file's server and browser; gives `scene(name, run)`, which is `test` with a `Play`.
 * @param {{args?: string[]}} [options] `args` are further flags of the server
 */
export function stage({ args = [] } = {}) {
  const stage = { server: null, browser: null, names: 0 };
  before(async () => {
    stage.server = await startServer({ args });
    stage.browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      // Root, as in containers, has no sandbox; and a small /dev/shm is too small.
      args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--font-render-hinting=none'],
    });
  });
  after(async () => {
    await stage.browser?.close();
    await stage.server?.dispose();
  });
  const scene = (name, run) =>
    test(name, async () => {
      const play = new Play(stage, name);
      try {
        await run(play);
        await play.assertNothingWrong();
      } catch (error) {
        const evidence = await play.evidence();
        throw new Error(`${error.message}${evidence}`, { cause: error });
      } finally {
        await play.end();
      }
    });
  return { scene, stage };
}

class Play {
  /** What no test may bring about: errors of the page, of the console, and scripts that the policy had to stop. */
  problems = [];
  #actors = [];
  #clients = [];
  #allowed = [];

  constructor(stage, name) {
    this.stage = stage;
    this.name = name;
  }

  get server() {
    return this.stage.server;
  }

  get url() {
    return this.stage.server.url;
  }

  /** A name that nobody else in this file has. */
  fresh(stem) {
    this.stage.names += 1;
    return `${stem}${this.stage.names}`;
  }

  /** An account and a plain socket.io client signed in to it: the other side, as an old client would be. */
  async client(stem, attributes) {
    const client = await this.#account(stem, attributes);
    await ok(client, 'signin', { username: client.username, password: PASSWORD });
    return client;
  }

  async #account(stem, attributes = {}) {
    const client = await connect(this.url, newest);
    this.#clients.push(client);
    client.username = this.fresh(stem);
    client.password = PASSWORD;
    client.id = (await ok(client, 'signup', { username: client.username, password: PASSWORD, ...attributes })).id;
    return client;
  }

  /** A browser with nobody signed in. */
  async visitor(options = {}) {
    const actor = new Actor(this, await this.#context(options));
    this.#actors.push(actor);
    await actor.open(options.path);
    return actor;
  }

  /** Somebody with an account who has the page open and is signed in. */
  async person(stem, options = {}) {
    const account = await this.#account(stem, options.profile);
    return this.device(account, options);
  }

  /** A browser signed in to an account that is there already; `friends` become so before the page opens, and
   * `before(context)` may prepare the browser. */
  async device({ username, password, id }, { friends = [], path, before, ...options } = {}) {
    const client = await connect(this.url, newest);
    const { token } = await ok(client, 'signin', { username, password, api: 2, device: 'Chromium' });
    for (const friend of friends) {
      await ok(client, 'subscribe', { to: friend.id });
      await ok(friend, 'reply', { to: id });
    }
    client.close();
    const localStorage = [{ name: 'nodeim.token', value: token }];
    // The hint about notifications belongs to one test; elsewhere it would only be in the way.
    if (!options.hint) localStorage.push({ name: 'nodeim.notify', value: 'off' });
    const storageState = { cookies: [], origins: [{ origin: this.url, localStorage }] };
    const actor = new Actor(this, await this.#context({ ...options, storageState }), { username, password, id });
    this.#actors.push(actor);
    await before?.(actor.context);
    await actor.open(path);
    await actor.page.getByRole('tablist').waitFor();
    return actor;
  }

  #context({ phone = false, dark = false, locale = 'en-US', storageState, permissions }) {
    const shape = phone ? PHONE : { viewport: WIDE };
    return this.stage.browser.newContext({ ...shape, colorScheme: dark ? 'dark' : 'light', locale, storageState, permissions, reducedMotion: 'reduce', baseURL: this.url, timezoneId: 'Europe/Berlin' });
  }

  /** Console errors that this test brings about on purpose, such as those of a connection that is cut. */
  allow(...patterns) {
    this.#allowed.push(...patterns);
  }

  problem(text) {
    if (!this.#allowed.some((pattern) => pattern.test(text))) this.problems.push(text);
  }

  async assertNothingWrong() {
    for (const actor of this.#actors) await actor.assertUnharmed();
    assert.deepEqual(this.problems, [], 'the page had errors');
  }

  /** Pictures and console of everybody, for whoever looks into a failure. */
  async evidence() {
    const place = join(FAILURES, this.name.replace(/[^\p{L}\d]+/gu, '-').slice(0, 60));
    await mkdir(place, { recursive: true });
    for (const [index, actor] of this.#actors.entries()) {
      const name = `${index + 1}-${actor.username ?? 'visitor'}`;
      await actor.page.screenshot({ path: join(place, `${name}.png`) }).catch(() => {});
      await writeFile(join(place, `${name}.log`), actor.console.join('\n'));
    }
    const told = this.problems.length ? `\n--- problems in the page ---\n${this.problems.join('\n')}` : '';
    return `${told}\n--- screenshots and console: ${place} ---${this.server.tail()}`;
  }

  async end() {
    for (const actor of this.#actors) await actor.context.close().catch(() => {});
    for (const client of this.#clients) client.close();
  }
}
