// Starts the real server binary on a free port and in a folder of its own, and ends it by its own pid.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { within } from './wait.mjs';

const START_MS = 30_000;
const STOP_MS = 20_000;
const LOG_LINES_KEPT = 300;

const repository = resolve(import.meta.dirname, '../..');
const postgres = process.env.NODEIM_TEST_DATABASE_URL;

/** What the suites that touch the disk run on: SQLite always, PostgreSQL when the environment names one. */
export const databases = postgres ? ['sqlite', 'postgresql'] : ['sqlite'];

/**
 * Starts a server; `args` are further flags, `variables` such as `NODEIM_…`, `port` 0 takes a free one. `prepare` may
 * put something into its folder and its database, if that is PostgreSQL, before it starts.
 */
export async function startServer({ database = 'sqlite', args = [], variables = {}, port = 0, prepare } = {}) {
  const server = new Server();
  server.port = port;
  server.variables = variables;
  server.dir = await mkdtemp(join(tmpdir(), 'nodeim-clients-'));
  server.args = ['--data-dir', server.dataDir, '--bcrypt-cost', '4', ...args];
  if (database === 'postgresql') {
    server.database = `nodeim_${randomBytes(6).toString('hex')}`;
    await psql(`create database ${server.database}`);
    server.args.push('--database-url', server.databaseUrl);
  }
  try {
    await prepare?.(server);
    await server.start();
  } catch (error) {
    await server.dispose();
    throw error;
  }
  return server;
}

/** What holds by default, as `nodeim config` prints it, by key. */
export async function defaults() {
  const { stdout } = await promisify(execFile)(binary(), ['config'], { env: environment() });
  const lines = stdout.split('\n').filter((line) => line.includes(' = '));
  return Object.fromEntries(lines.map((line) => line.split(' = ')).map(([key, value]) => [key, JSON.parse(value)]));
}

class Server {
  /** The end of what the server logged, for the message of a failed test. */
  log = [];

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  get dataDir() {
    return join(this.dir, 'data');
  }

  /** Where its database is, if that is PostgreSQL. */
  get databaseUrl() {
    return withDatabase(postgres, this.database);
  }

  /** Runs the same program with another command, on the same data. */
  async run(...command) {
    await promisify(execFile)(binary(), [...command, ...this.args], { cwd: this.dir, env: environment() });
  }

  /** Starts the process; after a first start, again on the same port and the same data. */
  async start() {
    const args = ['serve', '--listen', `127.0.0.1:${this.port}`, ...this.args];
    const env = { ...environment(), ...this.variables };
    const child = spawn(binary(), args, { cwd: this.dir, env, stdio: ['ignore', 'ignore', 'pipe'] });
    this.child = child;
    running.add(child);
    this.ended = new Promise((resolve) => {
      child.once('error', (error) => resolve({ error }));
      child.once('exit', (code, signal) => resolve({ code, signal }));
    }).finally(() => running.delete(child));

    const listening = new Promise((resolve) => {
      let rest = '';
      child.stderr.setEncoding('utf8').on('data', (text) => {
        const lines = (rest + text).replace(/\x1b\[[0-9;]*m/g, '').split('\n');
        rest = lines.pop();
        this.log.push(...lines);
        this.log.splice(0, this.log.length - LOG_LINES_KEPT);
        for (const line of lines) {
          const port = /listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(line)?.[1];
          if (port) resolve(Number(port));
        }
      });
    });
    const died = this.ended.then((how) => Promise.reject(new Error(`the server ended at its start: ${show(how)}${this.tail()}`)));
    died.catch(() => {});
    this.port = await within(Promise.race([listening, died]), START_MS, () => `no "listening on" line${this.tail()}`);
  }

  /** Asks the server to end, as an init system does, and insists on a clean end. */
  async stop() {
    const how = await this.#end('SIGTERM');
    assert.deepEqual(how, { code: 0, signal: null }, `the server did not end cleanly${this.tail()}`);
  }

  /** Ends the server as a power cut would: it gets no chance to write anything. */
  async kill() {
    await this.#end('SIGKILL');
  }

  /** Ends a running server cleanly and removes everything it had. */
  async dispose() {
    try {
      if (this.child) await this.stop();
    } finally {
      await rm(this.dir, { recursive: true, force: true });
      if (this.database) await psql(`drop database ${this.database} with (force)`);
    }
  }

  async #end(signal) {
    const { child } = this;
    this.child = undefined;
    child.kill(signal);
    try {
      return await within(this.ended, STOP_MS, () => `the server is deaf to ${signal}${this.tail()}`);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  /** The log's end, to be put behind an error's text. */
  tail() {
    return `\n--- end of the server's log ---\n${this.log.slice(-30).join('\n')}`;
  }
}

const running = new Set();

// A suite that fails half way must not leave servers behind.
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

function binary() {
  if (process.env.NODEIM_BIN) return resolve(process.env.NODEIM_BIN);
  const target = resolve(repository, process.env.CARGO_TARGET_DIR ?? 'target');
  const built = ['debug', 'release'].map((profile) => join(target, profile, 'nodeim')).filter(existsSync);
  assert.ok(built.length > 0, 'no server binary: run `cargo build`, or name one in NODEIM_BIN');
  return built.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0];
}

/** The settings of whoever runs the tests must not reach the server under test. */
function environment() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('NODEIM_')));
}

async function psql(statement) {
  await promisify(execFile)('psql', ['--no-psqlrc', '--quiet', '--dbname', postgres, '--command', statement]);
}

function withDatabase(url, name) {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}

function show({ error, code, signal }) {
  return error ? error.message : `code ${code}, signal ${signal}`;
}
