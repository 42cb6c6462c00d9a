// Starts nginx with deploy/nginx.conf as it stands there, but for its ports and files, in front of servers under test.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import https from 'node:https';
import { connect } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { WAIT_MS, eventually, within } from './wait.mjs';

const CONFIGURATION = resolve(import.meta.dirname, '../../deploy/nginx.conf');
const ATTEMPTS = 5;
const HAS_IPV6 = Object.values(networkInterfaces()).flat().some(({ address }) => address === '::1');

const run = promisify(execFile);

/** Starts nginx in front of `servers`, which must trust 127.0.0.1. */
export async function startNginx(...servers) {
  const nginx = new Nginx();
  // Its workers run as another user, who must get to their files below.
  nginx.dir = await mkdtemp(join(tmpdir(), 'nodeim-nginx-'));
  await chmod(nginx.dir, 0o711);
  try {
    await nginx.makeCertificate();
    await nginx.start(servers);
  } catch (error) {
    await nginx.dispose();
    throw error;
  }
  return nginx;
}

class Nginx {
  #agents = new Map();

  get url() {
    return `https://127.0.0.1:${this.port}`;
  }

  async makeCertificate() {
    const [key, chain] = [join(this.dir, 'key.pem'), join(this.dir, 'chain.pem')];
    const how = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    const whose = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
    await run(program('openssl'), ['req', '-x509', ...how, ...whose, '-keyout', key, '-out', chain]);
    this.certificate = await readFile(chain);
  }

  async start(servers) {
    for (let attempt = 1; ; attempt++) {
      // Below the range from which the kernel takes ports for outgoing connections; if one is taken, others are tried.
      this.port = 20_000 + 2 * Math.floor(Math.random() * 6000);
      this.plainPort = this.port + 1;
      this.file = join(this.dir, 'nginx.conf');
      await writeFile(this.file, await this.#adapted(servers));
      this.#spawn();
      const hasEnded = () => this.child.exitCode !== null || this.child.signalCode !== null;
      await eventually(async () => hasEnded() || (await this.#accepts()), () => 'nginx does not listen');
      if (!hasEnded()) return;
      const [code, signal] = await this.ended;
      const text = `nginx ended, code ${code}, signal ${signal}${await this.tail()}`;
      if (attempt === ATTEMPTS || !text.includes('Address already in use')) throw new Error(text);
    }
  }

  /** The text of the configuration with the test's ports and files. */
  async #adapted(servers) {
    let text = await readFile(CONFIGURATION, 'utf8');
    const change = (from, to) => {
      assert.ok(text.includes(from), `${CONFIGURATION} has no ${from}`);
      text = text.replaceAll(from, to);
    };
    change('pid /run/nginx.pid;', `pid ${join(this.dir, 'nginx.pid')};`);
    change('/var/log/nginx/', `${this.dir}/`);
    change('/etc/nginx/nodeim/', `${this.dir}/`);
    // Where Debian's nginx was built to keep them is for the one that the system runs.
    const kept = ['client_body', 'proxy', 'fastcgi', 'scgi', 'uwsgi'];
    change('\nhttp {\n', `\nhttp {\n${kept.map((name) => `${name}_temp_path ${join(this.dir, name)};\n`).join('')}`);
    change('        server 127.0.0.1:8765;\n', servers.map((server) => `server 127.0.0.1:${server.port};\n`).join(''));
    for (const [usual, port] of [[80, this.plainPort], [443, this.port]]) {
      change(`listen ${usual}`, `listen 127.0.0.1:${port}`);
      if (HAS_IPV6) change(`listen [::]:${usual}`, `listen [::1]:${port}`);
      else change(`listen [::]:${usual}`, `# listen [::]:${usual}`);
    }
    return text;
  }

  #spawn() {
    const options = ['-p', this.dir, '-c', this.file, '-g', 'daemon off;'];
    const child = spawn(program('nginx'), options, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.child = child;
    running.add(child);
    this.said = '';
    child.stderr.setEncoding('utf8').on('data', (text) => (this.said += text));
    this.ended = once(child, 'close').finally(() => running.delete(child));
  }

  /** Whether somebody listens, and it is this nginx, which shows in its pid file. */
  async #accepts() {
    if (!existsSync(join(this.dir, 'nginx.pid'))) return false;
    const socket = connect(this.port, '127.0.0.1');
    const accepted = once(socket, 'connect').then(() => true, () => false);
    return accepted.finally(() => socket.destroy());
  }

  /** An agent for requests from that address of this machine, to be given to clients and to `request`. */
  from(address) {
    if (!this.#agents.has(address)) {
      const options = { keepAlive: true, ca: this.certificate, localAddress: address };
      this.#agents.set(address, new https.Agent(options));
    }
    return this.#agents.get(address);
  }

  /** One request; gives status, headers and body. */
  async request(path, { from = '127.0.0.1', method = 'GET', headers = {}, body } = {}) {
    const request = https.request(this.url + path, { agent: this.from(from), method, headers });
    const replied = once(request, 'response').then(async ([response]) => {
      const pieces = [];
      for await (const piece of response) pieces.push(piece);
      return { status: response.statusCode, headers: response.headers, body: Buffer.concat(pieces) };
    });
    request.end(body);
    return within(replied, WAIT_MS, () => `no answer to ${method} ${path}`);
  }

  /** What nginx itself says that its configuration is. */
  async settings() {
    const { stdout } = await run(program('nginx'), ['-T', '-p', this.dir, '-c', this.file], { maxBuffer: 1 << 20 });
    return stdout;
  }

  async dispose() {
    for (const agent of this.#agents.values()) agent.destroy();
    if (this.child) {
      this.child.kill('SIGTERM');
      await within(this.ended, WAIT_MS, () => 'nginx is deaf to SIGTERM');
    }
    await rm(this.dir, { recursive: true, force: true });
  }

  /** What it said, to be put behind an error's text. */
  async tail() {
    const log = await readFile(join(this.dir, 'error.log'), 'utf8').catch(() => '');
    return `\n--- what nginx said ---\n${this.said}${log.split('\n').slice(-30).join('\n')}`;
  }
}

const running = new Set();

// As politely as that: a master that is killed leaves its workers behind.
process.once('exit', () => {
  for (const child of running) child.kill('SIGTERM');
});

/** Debian keeps servers out of the PATH of everybody but root. */
function program(name) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin'];
  const found = folders.map((folder) => join(folder, name)).find(existsSync);
  assert.ok(found, `${name} is missing: run scripts/ensure-tools.sh`);
  return found;
}
