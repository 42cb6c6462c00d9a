// A backup of a running server and what comes of it, by the steps in docs/operations.md.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { connect, newest } from './client.mjs';
import { newcomer, ok, signIn, together } from './people.mjs';
import { databases, startServer } from './server.mjs';

const run = promisify(execFile);

/** How the database is copied, and how the copy becomes that of another server, which has not been started yet. */
const ways = {
  sqlite: {
    copy: (server, to) => server.run('backup', to),
    restore: (copy, server) => cp(copy, join(server.dataDir, 'nodeim.sqlite')),
  },
  postgresql: {
    copy: (server, to) => run('pg_dump', ['--format=custom', `--file=${to}`, server.databaseUrl]),
    restore: (copy, server) => run('pg_restore', ['--no-owner', '--exit-on-error', `--dbname=${server.databaseUrl}`, copy]),
  },
};

describe('backup and restore', () => {
  for (const database of databases) test(database, (t) => backUp(t, database, ways[database]));
});

async function backUp(t, database, { copy, restore }) {
  const folder = await mkdtemp(join(tmpdir(), 'nodeim-backup-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const [copied, files] = [join(folder, 'database'), join(folder, 'files')];
  const server = await startServer({ database });
  t.after(() => server.dispose());

  const [a, b] = await together(t, newcomer(server.url, newest), newcomer(server.url, newest));
  const { token } = await signIn(a);
  const early = await upload(server, token);
  await ok(a, 'message', { to: b.id, message: 'before 之前 😀', file: early.url });
  await copy(server, copied);
  // What comes between the two copies has bytes, and no row that speaks of them.
  const between = await upload(server, token);
  await cp(join(server.dataDir, 'files'), files, { recursive: true });
  await ok(a, 'message', { to: b.id, message: 'after', file: between.url });
  await server.kill();

  const restored = await startServer({
    database,
    prepare: async (other) => {
      await cp(files, join(other.dataDir, 'files'), { recursive: true });
      await restore(copied, other);
    },
  });
  t.after(() => restored.dispose());
  const [again] = await together(t, connect(restored.url, newest));
  await ok(again, 'signin', { token });
  const { messages } = await ok(again, 'history', { to: b.id });
  assert.deepEqual(messages.map(({ text }) => text), ['before 之前 😀']);
  const file = await fetch(restored.url + messages[0].file.url);
  assert.ok(Buffer.from(await file.arrayBuffer()).equals(early.bytes));

  // Life goes on.
  assert.equal((await ok(again, 'message', { to: b.id, message: 'and on', cid: '1' })).seq, 2);
}

/** Uploads something; gives its address and its bytes. */
async function upload(server, token) {
  const bytes = randomBytes(100_000);
  const form = new FormData();
  form.append('file', new Blob([bytes]), 'something.bin');
  const headers = { authorization: `Bearer ${token}` };
  const reply = await fetch(`${server.url}/api/files`, { method: 'POST', headers, body: form });
  assert.equal(reply.status, 200);
  return { url: (await reply.json()).url, bytes };
}
