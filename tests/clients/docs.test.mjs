// What the docs say of settings and metrics is so: every key with its default, every metric that there is.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { defaults } from './server.mjs';

const REPOSITORY = resolve(import.meta.dirname, '../..');
const read = (path) => readFile(resolve(REPOSITORY, path), 'utf8');

test('README has every setting with its default', async () => {
  const [said, config] = [settingsIn(await read('README.md')), await defaults()];
  assertDefaults(said, config);
  assert.deepEqual(Object.keys(config).filter((key) => !said.has(key)), [], 'settings that README does not tell of');
});

test('docs/operations.md has right defaults, and all limits', async () => {
  const [said, config] = [settingsIn(await read('docs/operations.md')), await defaults()];
  assertDefaults(said, config);
  const limits = Object.keys(config).filter((key) => /^rate_.*(per|burst|factor)|_max(_|$)|_parallel$|timeout/.test(key));
  assert.ok(limits.length > 40);
  assert.deepEqual(limits.filter((key) => !said.has(key)), [], 'limits that it does not tell of');
});

test('docs/operations.md has every metric, and no other', async () => {
  const metrics = (text) => [...new Set(text.match(/\bnodeim_[a-z_]+/g))].map((name) => name.replace(/_bucket$/, '')).sort();
  const inCode = metrics((await read('src/metrics.rs')).replaceAll(/^use .*$/gm, ''));
  assert.ok(inCode.length > 10);
  // The name of a database in an example is none.
  const inDocs = metrics((await read('docs/operations.md')).replaceAll('nodeim_restored', ''));
  assert.deepEqual([...new Set(inDocs)], inCode);
});

/** What tables with a column `default` say, by key. A row may be about several keys with as many defaults, or one. */
function settingsIn(text) {
  const said = new Map();
  let column;
  for (const line of text.split('\n')) {
    if (!line.startsWith('|')) column = undefined;
    const cells = line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, ''));
    if (cells[0] === 'key') column = cells.indexOf('default');
    const keys = column === undefined ? [] : [...cells[0].matchAll(/`([a-z0-9_]+)`/g)].map(([, key]) => key);
    const values = column === undefined ? [] : cells[column]?.split(', ');
    keys.forEach((key, n) => said.set(key, values.length === keys.length ? values[n] : values[0]));
  }
  return said;
}

function assertDefaults(said, config) {
  assert.ok(said.size > 30, `only ${said.size} settings were found`);
  for (const [key, value] of said) {
    assert.ok(key in config, `${key} is no setting`);
    const shown = value.replaceAll('`', '');
    const meant = config[key] === '' ? 'empty' : typeof config[key] === 'string' ? config[key] : JSON.stringify(config[key]);
    assert.equal(shown, meant, key);
  }
}
