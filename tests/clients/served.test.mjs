// The client files that the server hands out: as Node's Socket.IO server serves them, and working in a browser's world.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import vm from 'node:vm';
import { WebSocket } from 'ws';
import { Client, newest } from './client.mjs';
import { freshName, ok } from './people.mjs';
import { startServer } from './server.mjs';

const FOLDER = resolve(import.meta.dirname, '../../static/node_modules/socket.io-client');
const FILES = ['socket.io.js', 'socket.io.min.js', 'socket.io.esm.min.js', 'socket.io.msgpack.min.js'];

describe('the served client', () => {
  let server;
  before(async () => {
    server = await startServer({ args: ['--rate-limit', 'off'] });
  });
  after(() => server.dispose());

  for (const file of FILES) {
    test(`${file}: content, type and caching`, async () => {
      const { version } = JSON.parse(await readFile(join(FOLDER, 'package.json'), 'utf8'));
      const etag = `"${version}"`;
      const url = `${server.url}/socket.io/${file}`;

      const fresh = await fetch(url);
      assert.equal(fresh.status, 200);
      assert.match(fresh.headers.get('content-type'), /^application\/javascript\b/);
      assert.equal(fresh.headers.get('cache-control'), 'public, max-age=0');
      assert.equal(fresh.headers.get('etag'), etag);
      assert.equal(await fresh.text(), await readFile(join(FOLDER, 'dist', file), 'utf8'));

      // A proxy that compresses weakens the tag.
      for (const known of [etag, `W/${etag}`]) {
        const again = await fetch(url, { headers: { 'if-none-match': known } });
        assert.equal(again.status, 304);
        assert.equal(again.headers.get('etag'), etag);
        assert.equal(await again.text(), '');
      }
      const stale = await fetch(url, { headers: { 'if-none-match': '"0.0.1"' } });
      assert.equal(stale.status, 200);
      await stale.arrayBuffer();
    });
  }

  for (const [file, path] of [['socket.io.js', '/socket.io/'], ['socket.io.min.js', '/socket.io/'], ['socket.io.msgpack.min.js', '/socket.io-msgpack/']]) {
    for (const transports of [['websocket'], ['polling'], ['polling', 'websocket']]) {
      test(`${file} over ${transports.join(' and ')}`, async (t) => {
        const page = vm.createContext(browserWorld());
        vm.runInContext(await (await fetch(`${server.url}/socket.io/${file}`)).text(), page, { filename: file });
        page.options = { transports, path, forceNew: true };
        page.address = server.url;
        await converse(t, vm.runInContext('io(address, options)', page));
      });
    }
  }

  test('socket.io.esm.min.js', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'nodeim-esm-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const module = join(folder, 'socket.io.esm.min.mjs');
    await writeFile(module, await (await fetch(`${server.url}/socket.io/socket.io.esm.min.js`)).text());
    globalThis.WebSocket ??= WebSocket;
    const { io } = await import(pathToFileURL(module));
    await converse(t, io(server.url, { transports: ['websocket'] }));
  });

  for (const file of ['socket.io.js', 'socket.io.min.js']) {
    test(`0.9/${file} is the old client as it comes, and works`, async (t) => {
      const response = await fetch(`${server.url}/socket.io/0.9/${file}`);
      assert.equal(response.headers.get('etag'), '"0.9.17"');
      const code = await response.text();
      assert.equal(code, await readFile(join(`${FOLDER}-0.9`, 'dist', file), 'utf8'));

      const page = vm.createContext({ ...browserWorld(), ...pageOf2013(server.url) });
      vm.runInContext(code, page, { filename: file });
      page.address = server.url;
      await converse(t, vm.runInContext("io.connect(address, { transports: ['websocket'] })", page));
    });
  }

  test('the chat page has all that it names', async () => {
    const page = await fetch(`${server.url}/`);
    assert.equal(page.status, 200);
    assert.match(page.headers.get('content-type'), /^text\/html\b/);
    const html = await page.text();

    const [, map] = html.match(/<script type="importmap">(.*?)<\/script>/s);
    const hash = createHash('sha256').update(map).digest('base64');
    assert.ok(page.headers.get('content-security-policy').includes(`script-src 'self' 'sha256-${hash}';`));

    const own = [...html.matchAll(/"(\/(?:app|css)\/[^"]+)"/g)].map(([, path]) => path);
    const packages = Object.values(JSON.parse(map).imports);
    for (const path of [...own, ...packages]) await moduleAndWhatItImports(server.url, path, new Set());
  });

  test('the health check answers', async () => {
    const health = await fetch(`${server.url}/healthz`);
    assert.equal(health.status, 200);
    await health.arrayBuffer();
  });
});

/** Every module of the page, from file to file. */
async function moduleAndWhatItImports(base, path, seen) {
  if (seen.has(path)) return;
  seen.add(path);
  const reply = await fetch(base + path);
  const text = await reply.text();
  assert.equal(reply.status, 200, path);
  assert.equal(reply.headers.get('x-content-type-options'), 'nosniff', path);
  if (!path.startsWith('/app/') || !path.endsWith('.js')) return;
  assert.match(reply.headers.get('content-type'), /^text\/javascript\b/, path);
  for (const [, name] of text.matchAll(/(?:from|import\() ?'([./][^']+)'/g)) {
    await moduleAndWhatItImports(base, new URL(name, base + path).pathname, seen);
  }
}

/** What the script finds in a browser, as far as it looks. */
function browserWorld() {
  const { XMLHttpRequest } = createRequire(import.meta.url)('xmlhttprequest-ssl');
  const timers = { setTimeout, clearTimeout };
  const binary = { ArrayBuffer, Uint8Array, Blob, FileReader, TextEncoder, TextDecoder };
  return { WebSocket, XMLHttpRequest, ...timers, ...binary };
}

/** What the script of 2013 looks at besides: where it is, and whether the page has loaded. */
function pageOf2013(url) {
  const { protocol, hostname, port } = new URL(url);
  const location = { protocol, hostname, port };
  const document = { readyState: 'complete', domain: hostname, documentElement: { style: {} } };
  return { location, navigator: { userAgent: '' }, document };
}

/** The one thing of a browser's FileReader that the client needs and Node does not have. */
class FileReader {
  async readAsDataURL(blob) {
    const bytes = Buffer.from(await blob.arrayBuffer());
    this.result = `data:;base64,${bytes.toString('base64')}`;
    this.onload();
  }
}

async function converse(t, socket) {
  const client = new Client(socket, newest, 'ack');
  t.after(() => client.close());
  await client.take('connect');
  const [username, password] = [freshName('页面'), '密码'];
  await ok(client, 'signup', { username, password });
  assert.equal((await ok(client, 'signin', { username, password })).message, `welcome back, ${username}`);
}
