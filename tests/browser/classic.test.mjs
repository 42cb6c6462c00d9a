// The classic page: the wire of 2013, `socket.command` and the upload panel in a frame.

import assert from 'node:assert/strict';
import { ok } from '../clients/people.mjs';
import { picture } from './files.mjs';
import { stage } from './stage.mjs';
import { eventually } from './wait.mjs';

const { scene } = stage();
const PWN = 'window.__pwned=1;top.__pwned=1';

async function arrive(play, stem) {
  const actor = await play.visitor({ path: '/classic.html' });
  actor.username = play.fresh(stem);
  await actor.page.getByLabel('User name', { exact: true }).fill(actor.username);
  await actor.page.getByLabel('Password').fill('secret-111111');
  await actor.button('Create account').click();
  await actor.button(actor.username).waitFor();
  return actor;
}

const lines = (actor) => actor.page.getByRole('list', { name: 'Messages' });
const says = async (actor, text) => {
  await actor.page.getByRole('textbox', { name: 'Write a message' }).fill(text);
  await actor.button('Send').click();
};

scene('two become friends, talk, meet in a room, and read the log', async (play) => {
  const alee = await arrive(play, 'alee');
  const bob = await arrive(play, 'bob');
  await alee.page.getByRole('textbox', { name: 'User name or number' }).fill(bob.username);
  await alee.button('Find').click();
  alee.answers.push('it is <me>');
  bob.answers.push('');
  await alee.button('Add').click();
  for (const [actor, friend] of [[alee, bob], [bob, alee]]) {
    await actor.page.getByRole('button').filter({ hasText: friend.username }).filter({ hasText: 'Online' }).click();
    await actor.page.getByRole('heading', { name: friend.username }).waitFor();
  }
  await alee.page.getByText('accepted your request').waitFor();
  await says(alee, 'a < b & c');
  await lines(bob).getByText('a < b & c').waitFor();
  await says(bob, 'yes');
  await lines(alee).getByText('yes').waitFor();
  await alee.page.getByLabel('Status').selectOption({ label: 'Busy' });
  await bob.page.getByRole('button').filter({ hasText: alee.username }).filter({ hasText: 'Busy' }).waitFor();

  await alee.page.getByRole('textbox', { name: 'New name, or number' }).fill('茶馆');
  await alee.button('Create').click();
  await alee.page.getByRole('heading', { name: /茶馆/ }).waitFor();
  const number = /\d+/.exec(await alee.page.getByRole('heading', { name: /茶馆/ }).innerText())?.[0] ?? '1';
  await bob.page.getByRole('textbox', { name: 'New name, or number' }).fill(number);
  await bob.button('Join').click();
  await bob.page.getByRole('heading', { name: /茶馆/ }).waitFor();
  await says(bob, 'in the room');
  await lines(alee).getByText('in the room').waitFor();

  await alee.page.getByRole('button').filter({ hasText: bob.username }).first().click();
  await alee.button('What was said to me').click();
  await alee.dialog.getByText('yes', { exact: true }).waitFor();
  await alee.dialog.getByRole('button', { name: 'Close' }).click();
  await alee.button('Sign out').click();
  await alee.button('Sign in').waitFor();
});

scene('a picture is uploaded by the panel, and seen in the modern page', async (play) => {
  const carol = await play.person('carol');
  const alee = await arrive(play, 'alee');
  await alee.button(alee.username).click();
  await alee.dialog.getByLabel('Nickname').fill('Alee the First');
  const panel = alee.page.frameLocator('iframe[title="Picture"]');
  await panel.locator('input[type="file"]').setInputFiles({ name: 'face.png', mimeType: 'image/png', buffer: picture(200, 200) });
  await panel.locator('[type="submit"]').click();
  const face = alee.dialog.locator('img');
  await eventually('the picture is shown', () => face.evaluate((image) => image.naturalWidth), (width) => width > 0);
  await alee.dialog.getByRole('button', { name: 'Save' }).click();
  await alee.button('Alee the First').waitFor();

  await carol.tab('Friends');
  await carol.side.getByRole('button', { name: 'Find people' }).click();
  await carol.dialog.getByRole('searchbox').fill(alee.username);
  const found = carol.dialog.getByRole('article').filter({ hasText: 'Alee the First' });
  await found.waitFor();
  await eventually('the picture is there, too', () => found.locator('img').evaluateAll(([image]) => image?.naturalWidth), (width) => width > 0);
});

scene('HTML in messages runs nothing here either', async (play) => {
  const evil = await play.client('evil');
  const alee = await arrive(play, 'alee');
  const { users } = await ok(evil, 'find', { username: alee.username });
  for (const message of [`<img src=x onerror="${PWN}">`, `<svg onload="${PWN}"></svg>`, `<a href="javascript:${PWN}">link</a>`, `<script>${PWN}</script>`, 'the last one']) {
    await ok(evil, 'message', { to: users[0].id, message });
  }
  await alee.page.getByRole('button').filter({ hasText: evil.username }).click();
  await lines(alee).getByText('the last one').waitFor();
  await lines(alee).getByText('link').click();
  assert.equal(await lines(alee).locator('script, svg, [onerror], [onload], [href^="javascript"]').count(), 0);
});
