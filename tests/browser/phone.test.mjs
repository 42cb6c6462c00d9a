// A phone: narrow, touched, one thing at a time; nothing scrolls sideways.

import assert from 'node:assert/strict';
import { ok } from '../clients/people.mjs';
import { stage } from './stage.mjs';
import { eventually } from './wait.mjs';

const { scene } = stage();

async function fits(actor, where) {
  const beyond = await actor.page.evaluate(() => ({
    page: document.documentElement.scrollWidth - innerWidth,
    log: (document.querySelector('[role="log"]')?.scrollWidth ?? 0) - (document.querySelector('[role="log"]')?.clientWidth ?? 0),
  }));
  assert.deepEqual(beyond, { page: 0, log: 0 }, `${where} is too wide`);
}

scene('the whole way on a phone: sign up, find, write, menu, back', async (play) => {
  const bob = await play.client('bob');
  const alee = await play.visitor({ phone: true });
  await fits(alee, 'the sign-in form');
  await alee.button('Create account').tap();
  await alee.fillIn({ 'User name': play.fresh('alee'), Password: 'secret-111111' });
  await alee.button('Create account').tap();
  await alee.myMenu.waitFor();
  await fits(alee, 'the empty list');

  await alee.page.getByRole('tab', { name: 'Friends' }).tap();
  await alee.side.getByRole('button', { name: 'Find people' }).tap();
  await alee.dialog.getByRole('searchbox').fill(bob.username);
  await alee.dialog.getByRole('article').waitFor();
  await fits(alee, 'finding people');
  await alee.dialog.getByRole('button', { name: 'Message' }).tap();
  await alee.composer.waitFor();
  await alee.side.waitFor({ state: 'hidden' });

  // Enter makes a line here; the button sends.
  await alee.composer.fill('one');
  await alee.composer.press('Enter');
  await alee.composer.pressSequentially('two');
  await alee.button('Send').tap();
  await alee.sent('two');
  assert.deepEqual(await alee.texts(), ['one\ntwo']);
  const wide = ['https://example.org/'.padEnd(300, 'x'), 'w'.repeat(400), '啊'.repeat(200), '🍰'.repeat(60)];
  for (const text of wide) {
    await alee.composer.fill(text);
    await alee.button('Send').tap();
    await alee.sent(text);
  }
  const { from } = await bob.take('message', ({ message }) => message.startsWith('one'));
  await ok(bob, 'message', { to: from.id, message: '<table width=3000><tr><td>wide</td></tr></table><div style="width:3000px">x</div><p style="margin-left:2000px">far</p>' });
  await alee.sees('wide');
  await fits(alee, 'the conversation');

  // Holding a finger on a message opens its menu.
  const row = alee.message('one').first();
  await row.scrollIntoViewIfNeeded();
  const { x, y, width, height } = await row.locator('.text').boundingBox();
  const touch = await alee.context.newCDPSession(alee.page);
  const at = { x: x + width / 2, y: y + height / 2 };
  await touch.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [at] });
  // The press itself takes this long: half a second and a little.
  await alee.page.evaluate(() => new Promise((done) => setTimeout(done, 650)));
  await touch.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
  await alee.menuItem('Reply').waitFor();
  await fits(alee, 'the menu of a message');
  await alee.menuItem('Reply').tap();
  await alee.composer.fill('an answer');
  await alee.button('Send').tap();
  await alee.sent('an answer');
  await alee.message('an answer').getByRole('button', { name: /one/ }).waitFor();

  await alee.main.getByRole('button', { name: 'Back' }).tap();
  await alee.page.getByRole('tab', { name: 'Chats' }).tap();
  await alee.row(bob.username).getByText('an answer').waitFor();
  await alee.row(bob.username).tap();
  await alee.composer.waitFor();
  await alee.page.goBack();
  await alee.row(bob.username).waitFor();
});

scene('rooms, details and settings on a phone', async (play) => {
  const carol = await play.client('carol');
  const { room } = await ok(carol, 'room.create', { name: 'a room with a rather long name, longer than the line', intro: 'an intro that is long as well, and goes on and on until nobody reads it' });
  const alee = await play.person('alee', { phone: true });
  await alee.page.getByRole('tab', { name: 'Rooms' }).tap();
  await alee.side.getByRole('button', { name: 'Join a room' }).tap();
  await alee.dialog.getByLabel('Room number').fill(String(room.id));
  await fits(alee, 'joining a room');
  await alee.dialog.getByRole('button', { name: 'Join' }).tap();
  await alee.composer.waitFor();
  await fits(alee, 'the room');
  await alee.main.getByRole('button', { name: 'More' }).tap();
  await alee.menuItem('Details').tap();
  await alee.details.getByText('2 members').waitFor();
  await fits(alee, 'the details');
  const covered = await alee.details.boundingBox();
  assert.ok(covered.width >= 300 && covered.x >= 0 && covered.x + covered.width <= 390, JSON.stringify(covered));
  await alee.details.getByRole('button', { name: 'Close' }).tap();
  await alee.details.waitFor({ state: 'detached' });
  await alee.main.getByRole('button', { name: 'Back' }).tap();
  await alee.myMenu.tap();
  await alee.menuItem('Settings').tap();
  for (const part of ['General', 'Account', 'Devices', 'Blocked']) {
    await alee.dialog.getByRole('tab', { name: part }).tap();
    await alee.dialog.getByRole('tabpanel', { name: part }).waitFor();
    await fits(alee, part);
    const inner = await alee.dialog.evaluate((dialog) => [...dialog.querySelectorAll('*')].filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && getComputedStyle(one).position !== 'absolute' && !one.closest('[role="tablist"]')).length);
    assert.equal(inner, 0, `something in ${part} is cut at the edge`);
  }
  await eventually('the dialog is no wider than the phone', () => alee.dialog.evaluate((dialog) => dialog.getBoundingClientRect().width), (width) => width <= 390);
});
