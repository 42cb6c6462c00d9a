// What people with other senses and other hands need: the rules of axe on every view, and all of it by keyboard.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { readFile } from 'node:fs/promises';
import { stage } from './stage.mjs';
import { eventually } from './wait.mjs';
import { walk } from './views.mjs';

const { scene } = stage();
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** The findings that keep people out, one line each. */
async function findings(page) {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 160)} | ${node.any[0]?.message ?? node.failureSummary}`));
}

for (const dark of [false, true]) {
  scene(`axe finds nothing serious in any view, ${dark ? 'dark' : 'light'}`, async (play) => {
    const found = {};
    await walk(play, {
      dark,
      seen: async (view, { page }) => {
        const lines = await findings(page);
        if (lines.length) found[view] = lines;
      },
    });
    assert.deepEqual(found, {});
  });
}

scene('axe notices what it is there for', async (play) => {
  const { page } = await play.visitor();
  await page.getByRole('main').evaluate((main) => main.append(document.createElement('button')));
  const lines = await findings(page);
  assert.ok(lines.some((line) => line.startsWith('button-name')), lines.join('\n'));
});

for (const dark of [false, true]) {
  scene(`axe finds nothing serious in the classic page, ${dark ? 'dark' : 'light'}`, async (play) => {
    const bob = await play.client('bob');
    const { page } = await play.visitor({ dark, path: '/classic.html' });
    assert.deepEqual(await findings(page), []);
    await page.getByLabel('User name', { exact: true }).fill(play.fresh('alee'));
    await page.getByLabel('Password').fill('secret-111111');
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.getByLabel('User name or number').fill(bob.username);
    await page.getByRole('button', { name: 'Find' }).click();
    await page.getByText(bob.username).first().waitFor();
    assert.deepEqual(await findings(page), []);
  });
}

scene('by keyboard alone: signing up, writing, the menu of a message, dialogs', async (play) => {
  const bob = await play.client('bob');
  const visitor = await play.visitor();
  const { page } = visitor;
  const press = (...keys) => keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve());
  const focused = () => page.evaluate(() => {
    const one = document.activeElement;
    return one.getAttribute('aria-label') ?? one.labels?.[0]?.textContent ?? one.textContent.trim();
  });
  /** Tab until what is wanted has the focus; fails if it is not reached. */
  const tabTo = async (wanted, key = 'Tab') => {
    const seen = [];
    for (let step = 0; step < 60; step += 1) {
      const name = await focused();
      if (wanted.test(name)) return;
      seen.push(name.slice(0, 30));
      await press(key);
    }
    assert.fail(`${wanted} is not reached by ${key}: ${seen.join(', ')}`);
  };

  await visitor.button('Sign in').waitFor();
  await tabTo(/^Create account$/);
  await press('Enter');
  await eventually('the first field has the focus', focused, (name) => name === 'User name');
  const name = play.fresh('alee');
  await page.keyboard.type(name);
  await tabTo(/^Password$/);
  await page.keyboard.type('secret-111111');
  await press('Enter');
  await visitor.myMenu.waitFor();

  // Find somebody, write to them.
  await visitor.page.getByRole('tab', { name: 'Chats' }).waitFor();
  await tabTo(/^Chats/);
  await press('ArrowRight');
  await eventually('the tab of friends has the focus', focused, (text) => /^Friends/.test(text));
  await tabTo(/^Find people$/);
  await press('Enter');
  await visitor.dialog.waitFor();
  await eventually('the field has the focus', focused, (text) => /^User name, nickname/.test(text));
  await page.keyboard.type(bob.username);
  await visitor.dialog.getByRole('article').waitFor();
  await tabTo(/^Message$/);
  await press('Enter');
  await visitor.composer.waitFor();
  await eventually('one can write at once', focused, (text) => text === 'Write a message');
  await page.keyboard.type('hello by keyboard');
  await press('Enter');
  await visitor.sent('hello by keyboard');

  // The messages, the menu of one, and a dialog that gives the focus back.
  await tabTo(/^Messages$/, 'Shift+Tab');
  await press('ArrowUp');
  assert.match(await page.evaluate(() => document.activeElement.textContent), /hello by keyboard/);
  await press('Enter');
  await eventually('the menu has the focus', focused, (text) => text === 'Reply');
  await press('ArrowUp');
  assert.equal(await focused(), 'Take back');
  await press('Enter');
  await visitor.dialog.waitFor();
  await press('Escape');
  await visitor.dialog.waitFor({ state: 'detached' });
  await eventually('the focus is back in the message', () => page.evaluate(() => document.activeElement.closest('[role="log"]')?.textContent ?? document.activeElement.outerHTML), (text) => /hello by keyboard/.test(text) && !text.startsWith('<'));

  // A dialog from the menu of one's own.
  await tabTo(/my menu$/, 'Shift+Tab');
  await press('Enter');
  await visitor.menuItem('Settings').waitFor();
  await press('End', 'ArrowUp');
  assert.equal(await focused(), 'Settings');
  await press('Enter');
  await visitor.dialog.waitFor();
  await press('Escape');
  await visitor.dialog.waitFor({ state: 'detached' });
  await eventually('the focus is back at the menu', focused, (text) => /my menu$/.test(text));
});
