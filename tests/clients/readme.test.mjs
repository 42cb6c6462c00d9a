// The example in README.md, run as it stands there by someone who installed socket.io-client.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { startServer } from './server.mjs';

const README = resolve(import.meta.dirname, '../../README.md');
const DEFAULT_PORT = 8765;

test("the README's example runs as it stands there", async (t) => {
  let example = exampleOf(await readFile(README, 'utf8'));
  const free = await isFree(DEFAULT_PORT);
  const server = await startServer({ port: free ? DEFAULT_PORT : 0 });
  t.after(() => server.dispose());
  if (!free) example = example.replaceAll(`${DEFAULT_PORT}`, `${server.port}`);

  const folder = await mkdtemp(join(tmpdir(), 'nodeim-readme-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await symlink(join(import.meta.dirname, 'node_modules'), join(folder, 'node_modules'));
  const file = join(folder, /\brequire\(/.test(example) ? 'example.cjs' : 'example.mjs');
  await writeFile(file, example);

  const run = promisify(execFile)(process.execPath, [file], { cwd: folder, timeout: 20_000 });
  const { stdout } = await run.catch((error) => {
    const end = error.killed ? 'did not end' : `ended with code ${error.code}`;
    throw new Error(`the example ${end}:\n${example}\n--- it printed ---\n${error.stdout}${error.stderr}${server.tail()}`);
  });
  assert.notEqual(stdout.trim(), '', 'the example prints something');
});

/** The first block of JavaScript after a heading that contains "Example". */
function exampleOf(readme) {
  const found = /^#+ .*\bexample\b.*$[^]*?^```(?:js|javascript|mjs)\n([^]*?)^```/im.exec(readme);
  assert.ok(found, 'README.md has a heading with "Example" and a block of JavaScript after it');
  return found[1];
}

function isFree(port) {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
