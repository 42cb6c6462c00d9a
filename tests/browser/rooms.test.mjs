// Rooms: making one, inviting, joining, roles, mutes, kicks, the profile, deleting.

import assert from 'node:assert/strict';
import { ok } from '../clients/people.mjs';
import { stage } from './stage.mjs';
import { eventually } from './wait.mjs';

const { scene } = stage();

scene('a room is made, and a friend joins it by the invitation', async (play) => {
  const client = await play.client('bob');
  const alee = await play.person('alee', { friends: [client] });
  const bob = await play.device(client);
  client.close();
  await alee.tab('Rooms');
  await alee.side.getByText('No rooms yet').waitFor();
  await alee.side.getByRole('button', { name: 'Create a room' }).click();
  await alee.dialog.getByRole('button', { name: 'Create' }).click();
  await alee.dialog.getByRole('alert').getByText('Enter a name.').waitFor();
  await alee.dialog.getByLabel('Name of the room').fill('茶馆');
  await alee.dialog.getByLabel('What it is about').fill('tea & talk');
  await alee.dialog.getByRole('button', { name: 'Create' }).click();
  await alee.page.getByRole('heading', { name: '茶馆' }).first().waitFor();
  await alee.main.getByText('tea & talk').waitFor();
  await alee.say('nobody here yet');
  await alee.sent('nobody here yet');

  await alee.page.getByRole('status').getByRole('button', { name: 'Invite' }).click();
  await alee.dialog.getByRole('checkbox').check();
  await alee.dialog.getByRole('button', { name: 'Invite 1' }).click();
  await alee.toast('The invitation was sent.');

  await bob.row(alee.username).getByText('Invitation into a room').waitFor();
  await bob.openChat(alee.username);
  await bob.log.getByText(`${alee.username} invites you into a room`).waitFor();
  await bob.log.getByRole('button', { name: 'Join' }).click();
  await bob.page.getByRole('heading', { name: '茶馆' }).first().waitFor();
  await bob.composer.waitFor();
  await bob.say('here I am');
  await alee.sees('here I am');
  assert.equal(await bob.message('nobody here yet').count(), 0, 'what was said before one came is not for one');
  await alee.composer.pressSequentially('w');
  await bob.main.getByText(`${alee.username} is writing …`).waitFor();
  await alee.say('welcome');
  await bob.sees('welcome');
  await bob.message('welcome').getByText(alee.username).first().waitFor();

  await bob.tab('Rooms');
  await bob.side.getByRole('link').filter({ hasText: '茶馆' }).getByText('tea & talk').waitFor();
  await bob.row('茶馆').waitFor();
});

scene('a room is joined by its number, and left', async (play) => {
  const carol = await play.client('carol');
  const { room } = await ok(carol, 'room.create', { name: 'Garden', intro: '' });
  const bob = await play.person('bob');
  await bob.tab('Rooms');
  const enter = async (number) => {
    await bob.side.getByRole('button', { name: 'Join a room' }).click();
    await bob.dialog.getByLabel('Room number').fill(String(number));
    await bob.dialog.getByRole('button', { name: 'Join' }).click();
  };
  await enter(999_999);
  await bob.dialog.getByRole('alert').getByText('There is no room with this number.').waitFor();
  await bob.page.keyboard.press('Escape');
  await enter(room.id);
  await bob.page.getByRole('heading', { name: 'Garden' }).first().waitFor();
  await ok(carol, 'room.message', { room: room.id, message: 'welcome' });
  await bob.sees('welcome');
  await openDetails(bob);
  await bob.details.getByText('2 members').waitFor();
  await bob.details.getByRole('button', { name: 'Leave room' }).click();
  await bob.dialog.getByRole('button', { name: 'Leave room' }).click();
  await bob.side.getByText('No rooms yet').waitFor();
  await bob.composer.waitFor({ state: 'detached' });
});

scene('the creator makes an admin; who is muted cannot speak, who is kicked is out', async (play) => {
  const { alee, bob, carol, room } = await threeInARoom(play);
  await openDetails(alee);
  await openDetails(carol);
  await alee.details.getByText('3 members').waitFor();
  const member = (actor, name) => actor.details.getByRole('listitem').filter({ hasText: name });
  const act = async (actor, name, item) => actor.choose(actor.details.getByRole('button', { name: `Menu of ${name}` }), item);

  await act(alee, bob.username, 'Make admin');
  await member(alee, bob.username).getByText('Admin').waitFor();
  await member(carol, bob.username).getByText('Admin').waitFor();
  await member(carol, alee.username).getByText('Creator').waitFor();

  await openDetails(bob);
  await act(bob, carol.username, 'For 10 minutes');
  await carol.main.getByText('You may not write here until').waitFor();
  await carol.composer.waitFor({ state: 'detached' });
  await act(bob, carol.username, 'Let them speak again');
  await carol.composer.waitFor();
  await carol.say('thank you');
  await alee.sees('thank you');

  await act(bob, carol.username, 'Remove from the room');
  await bob.dialog.getByRole('button', { name: 'Remove from the room' }).click();
  await carol.composer.waitFor({ state: 'detached' });
  await bob.details.getByText('2 members').waitFor();
  await alee.details.getByText('2 members').waitFor();
  await alee.say('carol does not read this');
  await bob.sees('carol does not read this');
  assert.equal(await carol.page.getByText('carol does not read this').count(), 0);

  // A mere admin has no power over the creator.
  await bob.details.getByRole('button', { name: `Menu of ${alee.username}` }).click();
  await bob.menuItem('Profile').waitFor();
  assert.equal(await bob.menuItem('Remove from the room').count(), 0);
  await bob.page.keyboard.press('Escape');
  assert.ok(room > 0);
});

scene('a room gets another name, and is deleted by who made it', async (play) => {
  const { alee, bob, carol } = await threeInARoom(play);
  await openDetails(alee);
  await alee.details.getByRole('button', { name: 'Edit' }).click();
  await alee.dialog.getByLabel('Name of the room').fill('Winter garden');
  await alee.dialog.getByLabel('What it is about').fill('see https://example.org/');
  await alee.dialog.getByRole('button', { name: 'Save' }).click();
  for (const actor of [alee, bob, carol]) {
    await actor.page.getByRole('heading', { name: 'Winter garden' }).first().waitFor();
    await actor.row('Winter garden').waitFor();
  }
  assert.equal(await alee.details.getByRole('link', { name: 'https://example.org/' }).getAttribute('href'), 'https://example.org/');

  await alee.details.getByRole('button', { name: 'Delete room' }).click();
  await alee.dialog.getByRole('textbox').fill('Garden');
  await alee.dialog.getByRole('button', { name: 'Delete room' }).click();
  await alee.dialog.getByRole('alert').getByText('This is not the name of the room.').waitFor();
  await alee.dialog.getByRole('textbox').fill('Winter garden');
  await alee.dialog.getByRole('button', { name: 'Delete room' }).click();
  for (const actor of [alee, bob, carol]) {
    await actor.composer.waitFor({ state: 'detached' });
    await eventually('the room is not listed', () => actor.row('Winter garden').count(), (count) => count === 0);
  }
});

scene('a muted conversation counts quietly', async (play) => {
  const { alee, bob, carol } = await threeInARoom(play);
  await bob.choose(bob.main.getByRole('button', { name: 'More' }), 'Mute');
  await bob.row('Garden').getByRole('img', { name: 'Muted' }).waitFor();
  await bob.goTo(`#/u/${carol.id}`);
  await bob.page.getByRole('heading', { name: carol.username }).first().waitFor();
  await alee.say('quiet, please');
  await bob.row('Garden').getByLabel('1 unread message').waitFor();
  await bob.reload();
  await bob.row('Garden').getByRole('img', { name: 'Muted' }).waitFor();
});

/** Alee made it; bob and carol are in it; all three have it open. */
async function threeInARoom(play) {
  const accounts = await Promise.all(['alee', 'bob', 'carol'].map((name) => play.client(name)));
  const { room } = await ok(accounts[0], 'room.create', { name: 'Garden', intro: 'green' });
  for (const account of accounts.slice(1)) await ok(account, 'room.join', { id: room.id });
  const people = [];
  for (const account of accounts) {
    people.push(await play.device(account, { path: `/#/r/${room.id}` }));
    account.close();
  }
  for (const actor of people) await actor.composer.waitFor();
  const [alee, bob, carol] = people;
  return { alee, bob, carol, room: room.id };
}

async function openDetails(actor) {
  await actor.choose(actor.main.getByRole('button', { name: 'More' }), 'Details');
  await actor.details.waitFor();
}
