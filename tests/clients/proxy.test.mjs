// The server behind nginx with deploy/nginx.conf, through TLS: every generation of clients, uploads, addresses.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile, readdir, stat } from 'node:fs/promises';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { kind, kinds, newest } from './client.mjs';
import { assertMessage, newcomer, ok, person, signIn, together } from './people.mjs';
import { startNginx } from './nginx.mjs';
import { defaults, startServer } from './server.mjs';
import { WAIT_MS, eventually, within } from './wait.mjs';

/** Addresses of this machine, for clients; nginx comes to the server from 127.0.0.1. */
const [HERE, ELSEWHERE] = ['127.0.0.7', '127.0.0.8'];
const MEBIBYTE = 1 << 20;

const proxied = kinds.filter(({ version, msgpack }) => ['0.9', '2.5', '4.8'].includes(version) && !msgpack);

describe('behind nginx', () => {
  let server, nginx;
  before(async () => {
    server = await startServer({ args: ['--rate-limit', 'off'], variables: { NODEIM_TRUSTED_PROXIES: '127.0.0.1' } });
    nginx = await startNginx(server);
    // Client 0.9 cannot be told whom to believe and where to come from.
    Object.assign(https.globalAgent.options, { ca: nginx.certificate, localAddress: HERE });
  });
  after(async () => {
    await nginx?.dispose();
    await server?.dispose();
  });

  /** What the clients are told: to come from an address, and perhaps to claim another one. */
  const from = (address, extraHeaders) => ({ options: { agent: nginx.from(address), extraHeaders } });

  for (const kind of proxied) {
    test(`${kind.name} talks with the newest client`, async (t) => {
      const [a, b] = await together(t, person(nginx.url, kind, from(HERE)), person(nginx.url, newest, from(ELSEWHERE)));
      const text = '你好 😀 '.repeat(5000);
      for (const [one, other] of [[a, b], [b, a]]) {
        for (const message of ['今晚一起吃饭吗？', text.trim()]) {
          await ok(one, 'message', { to: other.id, message });
          assertMessage(await other.take('message'), { from: one, to: other, message });
        }
      }
      await ok(a, 'signout');
      await ok(b, 'message', { to: a.id, message: 'missed' });
      await signIn(a);
      assertMessage(await a.take('message'), { from: b, to: a, message: 'missed' });
      if (kind.transport === 'upgrade') assert.equal(a.transport, 'websocket');
    });

    test(`${kind.name} is seen at its own address, whatever it claims`, async (t) => {
      const [a] = await together(t, newcomer(nginx.url, kind, from(HERE, { 'X-Forwarded-For': '9.9.9.9, 127.0.0.1' })));
      await ok(a, 'signin', { username: a.username, password: a.password, device: 'here' });
      const { sessions } = await ok(a, 'sessions');
      assert.deepEqual(sessions.map(({ address, device }) => [address, device]), [[HERE, 'here']]);
    });
  }

  test('a websocket at / is MumiChat', async (t) => {
    const socket = new WebSocket(nginx.url.replace('https', 'wss'), { ca: nginx.certificate });
    t.after(() => socket.terminate());
    const [greeting] = await within(once(socket, 'message'), WAIT_MS, () => 'no greeting');
    assert.deepEqual(JSON.parse(greeting), { key: '24AB50C2' });
  });

  test('health is there for everybody, figures are not, plain HTTP leads to TLS', async () => {
    const health = await nginx.request('/healthz');
    assert.deepEqual([health.status, `${health.body}`], [200, 'ok\n']);
    assert.equal((await nginx.request('/metrics')).status, 403);
    assert.match(`${(await nginx.request('/')).body}`, /<script type="importmap">/);

    const [response] = await once(http.get(`http://127.0.0.1:${nginx.plainPort}/files?x=1`), 'response');
    response.resume();
    assert.deepEqual([response.statusCode, response.headers.location], [301, 'https://127.0.0.1/files?x=1']);
  });

  test('a file of 5 MiB goes in with a token and comes out the same', async (t) => {
    const [a] = await together(t, newcomer(nginx.url, newest, from(HERE)));
    const { token } = await signIn(a);
    const bytes = randomBytes(5 * MEBIBYTE);
    const { status, body } = await nginx.request('/api/files', form(bytes, { authorization: `Bearer ${token}` }));
    assert.equal(status, 200, `${body}`);
    const { url, size } = JSON.parse(body);
    assert.equal(size, bytes.length);
    assert.ok((await nginx.request(url)).body.equals(bytes));
    const part = await nginx.request(url, { headers: { range: 'bytes=1000000-1999999' } });
    assert.equal(part.status, 206);
    assert.ok(part.body.equals(bytes.subarray(1_000_000, 2_000_000)));
  });

  test('the server has what has come of a file, and not the proxy', async (t) => {
    const [a] = await together(t, newcomer(nginx.url, newest, from(HERE)));
    const finish = await beginUpload(t, (await signIn(a)).token);
    assert.equal(await finish(), 200);
  });

  test('a file of 2 MiB goes in and out over HTTP/2', async (t) => {
    const [a] = await together(t, newcomer(nginx.url, newest, from(HERE)));
    const { token } = await signIn(a);
    const session = http2.connect(nginx.url, { ca: nginx.certificate });
    t.after(() => session.destroy());
    const bytes = randomBytes(2 * MEBIBYTE);
    const { headers, body } = form(bytes, { authorization: `Bearer ${token}` });
    const stream = session.request({ ':method': 'POST', ':path': '/api/files', ...headers });
    stream.end(body);
    const [{ ':status': status }] = await within(once(stream, 'response'), WAIT_MS, () => 'no answer');
    assert.equal(status, 200);
    const { url } = JSON.parse(Buffer.concat(await stream.toArray()));
    assert.ok((await nginx.request(url)).body.equals(bytes));
  });

  test('what is too large the server refuses, and not the proxy', async (t) => {
    const { upload_max_bytes, frame_max_bytes } = await defaults();
    const [a] = await together(t, newcomer(nginx.url, newest, from(HERE)));
    const { token } = await signIn(a);
    const authorized = { authorization: `Bearer ${token}` };
    const refused = await nginx.request('/api/files', form(Buffer.alloc(upload_max_bytes + 1), authorized));
    assert.equal(refused.status, 413);
    assert.equal(JSON.parse(refused.body).reason, 'too_large');
    const largest = await nginx.request('/api/files', form(Buffer.alloc(upload_max_bytes), authorized));
    assert.equal(largest.status, 200, `${largest.body}`);

    const { request } = await polling();
    const answer = await request({ method: 'POST', body: Buffer.alloc(frame_max_bytes + 1, '4') });
    assert.equal(answer.status, 413);
    assert.doesNotMatch(`${answer.body}`, /nginx/);
  });

  test('the panel is for who is signed in at that address, and takes 3 MiB', async (t) => {
    const [a] = await together(t, person(nginx.url, kind('2.5', 'websocket'), from(HERE)));
    const path = `/nodeim-server/upload?user=${a.id}`;
    assert.match(`${(await nginx.request(path, { from: ELSEWHERE })).body}`, /用户未上线/);
    const page = `${(await nginx.request(path, { from: HERE })).body}`;
    const action = /action="([^"]+)"/.exec(page)[1].replaceAll('&amp;', '&');

    // With the token of the form, and, as a form of 2013, with the address alone: then the page must be our own.
    for (const target of [action, `/nodeim-server/upload:submit?user=${a.id}`]) {
      const bytes = randomBytes(3 * MEBIBYTE);
      const answer = await nginx.request(target, { ...form(bytes, { origin: nginx.url }), from: HERE });
      assert.match(`${answer.body}`, /文件上传成功/);
      const { url, filename } = await a.take('upload');
      assert.equal(filename, 'cat.bin');
      assert.ok((await nginx.request(url)).body.equals(bytes));
    }
    const elsewhere = form(Buffer.from('x'), { origin: nginx.url });
    const answer = await nginx.request(`/nodeim-server/upload:submit?user=${a.id}`, { ...elsewhere, from: ELSEWHERE });
    assert.match(`${answer.body}`, /用户未上线/);
  });

  test('the proxy has more patience than the server, and lets more through', async () => {
    const text = await nginx.settings();
    const values = (name) => {
      const found = [...text.matchAll(new RegExp(`^ *${name} +(\\d+)([sm]);`, 'gm'))];
      assert.ok(found.length > 0, `nginx.conf sets ${name}`);
      return found.map(([, number, unit]) => ({ s: 1000, m: MEBIBYTE })[unit] * number);
    };
    const config = await defaults();
    const silence = Math.max(
      config.ping_interval_ms + config.ping_timeout_ms,
      config.mumichat_ping_interval_ms + config.mumichat_ping_timeout_ms,
      // Client 0.9 is given three times as long.
      config.ping_interval_ms + 3 * config.ping_timeout_ms,
    );
    for (const name of ['proxy_read_timeout', 'proxy_send_timeout']) {
      assert.ok(values(name).every((ms) => ms > silence), `${name} is more than ${silence} ms`);
    }
    const [bodies, files] = values('client_max_body_size');
    assert.ok(bodies > config.frame_max_bytes);
    assert.ok(files >= config.upload_max_bytes + 65_536, 'a file with a form around it');
  });

  test('a session that ends takes no connection from anybody else', async (t) => {
    const [a, b] = await together(t, newcomer(nginx.url, newest, from(HERE)), newcomer(nginx.url, newest, from(HERE)));
    await signIn(a);
    const { token } = await signIn(b);
    const { request, command } = await polling();
    const { session } = await command('signin', { username: a.username, password: a.password });
    // It comes right after the session's last poll: if nginx kept that connection, it would be this one's. (A poll
    // would not show it, since nginx repeats what is no POST.)
    const finish = await beginUpload(t, token);

    await ok(a, 'sessions.end', { id: session });
    const isOver = async () => (await request({ method: 'POST', body: '3' })).status === 400;
    await eventually(isOver, () => 'the session goes on');
    assert.equal(await finish(), 200);
  });

  test('clients come back by themselves when the server does', async (t) => {
    const clients = await together(t, ...proxied.map((kind) => person(nginx.url, kind, from(HERE))));
    await server.stop();
    assert.equal((await nginx.request('/healthz')).status, 502);
    await server.start();
    for (const client of clients) {
      await client.take('connect');
      await signIn(client);
    }
  });

  test("nothing in nginx's log lets anybody in", async (t) => {
    const [a] = await together(t, newcomer(nginx.url, kind('0.9', 'polling')));
    const { token } = await signIn(a);
    const uploaded = await nginx.request('/api/files', form(Buffer.from('x'), { authorization: `Bearer ${token}` }));
    const { url } = JSON.parse(uploaded.body);
    await nginx.request(`${url}?download`);
    const { sid } = await polling();

    let log = '';
    const shown = ['GET /socket.io/1/*"', 'GET /public/files/*"', 'POST /socket.io/"', 'POST /api/files"'];
    const all = async () => {
      log = await readFile(join(nginx.dir, 'access.log'), 'utf8');
      return shown.every((line) => log.includes(line));
    };
    await eventually(all, () => `a line is missing in\n${log}`);
    for (const secret of [sid, a.socket.socket.sessionid, token, url.split('/').at(-1), '?']) {
      assert.ok(secret.length > 0 && !log.includes(secret), `${secret} is in the log`);
    }
  });

  /** Sends half of a file and waits until the server has it. What it gives sends the rest, and gives the status. */
  async function beginUpload(t, token) {
    const { body, ...how } = form(randomBytes(2 * MEBIBYTE), { authorization: `Bearer ${token}` });
    const request = https.request(`${nginx.url}/api/files`, { ...how, agent: nginx.from('127.0.0.1') });
    t.after(() => request.destroy());
    const response = once(request, 'response');
    response.catch(() => {});
    request.write(body.subarray(0, MEBIBYTE));
    const folder = join(server.dataDir, 'files/incoming');
    const arrived = async () => {
      const files = await Promise.all((await readdir(folder)).map((name) => stat(join(folder, name))));
      return files.some(({ size }) => size > MEBIBYTE / 2);
    };
    await eventually(arrived, () => 'nothing comes to the server');
    return async () => {
      request.end(body.subarray(MEBIBYTE));
      const [{ statusCode }] = await within(response, WAIT_MS, () => 'no answer');
      return statusCode;
    };
  }

  /** A session of Socket.IO over bare requests, which polls only when it is told to, or waits for a reply. */
  async function polling() {
    const path = '/socket.io/?EIO=4&transport=polling';
    const { sid } = JSON.parse(`${(await nginx.request(path)).body}`.slice(1));
    const request = (options) => nginx.request(`${path}&sid=${sid}`, options);

    async function until(kind) {
      for (;;) {
        const packets = `${(await request()).body}`.split('\x1e');
        if (packets.includes('2')) await request({ method: 'POST', body: '3' });
        const found = packets.find((packet) => packet.startsWith(kind));
        if (found) return found;
      }
    }
    async function command(name, data) {
      await request({ method: 'POST', body: `420${JSON.stringify([name, data])}` });
      return JSON.parse((await until('430')).slice(3))[0];
    }
    await request({ method: 'POST', body: '40' });
    await until('40');
    return { sid, request, command };
  }
});

/** A request that carries a file in a form. */
function form(bytes, headers) {
  const boundary = 'a-line-that-is-in-no-file';
  const head = `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="cat.bin"\r\n\r\n`;
  const body = Buffer.concat([Buffer.from(head), bytes, Buffer.from(`\r\n--${boundary}--\r\n`)]);
  const type = `multipart/form-data; boundary=${boundary}`;
  return { method: 'POST', headers: { ...headers, 'content-type': type, 'content-length': body.length }, body };
}
