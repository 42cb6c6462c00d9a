// Two servers behind one nginx, with deploy/nginx.conf: each client stays with one of them. They know nothing of each
// other, which shows who talked to whom.

import assert from 'node:assert/strict';
import https from 'node:https';
import { after, before, describe, test } from 'node:test';
import { kind, newest } from './client.mjs';
import { ok, person, together } from './people.mjs';
import { startNginx } from './nginx.mjs';
import { startServer } from './server.mjs';

const CLIENTS = 24;
const COMMANDS = 10;
const SECOND_FIRST_ID = 1_000_001;

const polling = ['2.5', '4.8'].map((version) => kind(version, 'polling'));

describe('two nodes behind nginx', () => {
  const servers = [];
  let nginx;
  before(async () => {
    for (const first of [1, SECOND_FIRST_ID]) {
      const variables = { NODEIM_TRUSTED_PROXIES: '127.0.0.1', NODEIM_FIRST_USER_ID: `${first}` };
      servers.push(await startServer({ args: ['--rate-limit', 'off'], variables }));
    }
    nginx = await startNginx(...servers);
  });
  after(async () => {
    await nginx?.dispose();
    for (const server of servers) await server.dispose();
  });

  const from = (address) => ({ options: { agent: nginx.from(address) } });
  const nodeOf = (client) => Number(client.id >= SECOND_FIRST_ID);

  async function staysWhereItIs(client) {
    for (let n = 0; n < COMMANDS; n++) {
      // The other node would not know the session.
      assert.deepEqual((await ok(client, 'find', { id: client.id })).users.map(({ id }) => id), [client.id]);
    }
    assert.ok(!client.log.some(({ event }) => event === 'disconnect'), client.seen());
  }

  test('a client that polls stays with one node, and both nodes have clients', async (t) => {
    const addresses = Array.from({ length: CLIENTS }, (_, n) => `127.0.1.${n + 1}`);
    const clients = await together(t, ...addresses.map((address, n) => person(nginx.url, polling[n % 2], from(address))));
    await Promise.all(clients.map(staysWhereItIs));
    assert.deepEqual([...new Set(clients.map(nodeOf))].sort(), [0, 1]);

    // An address leads to the same node again, over every transport, so that the upgrade does, too.
    const again = await together(t, ...addresses.map((address) => person(nginx.url, kind('4.8', 'upgrade'), from(address))));
    await Promise.all(again.map(staysWhereItIs));
    assert.deepEqual(again.map(nodeOf), clients.map(nodeOf));
  });

  test('so does one with Socket.IO 0.9', async (t) => {
    Object.assign(https.globalAgent.options, { ca: nginx.certificate, localAddress: '127.0.1.1' });
    const people = [person(nginx.url, kind('0.9', 'polling')), person(nginx.url, newest, from('127.0.1.1'))];
    const [old, modern] = await together(t, ...people);
    await staysWhereItIs(old);
    assert.equal(nodeOf(old), nodeOf(modern));
  });
});
