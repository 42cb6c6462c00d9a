// Friends, groups, blocks, the profile, the sessions and the settings.

import assert from 'node:assert/strict';
import { ok, otherDevice } from '../clients/people.mjs';
import { newest } from '../clients/client.mjs';
import { picture } from './files.mjs';
import { stage } from './stage.mjs';
import { eventually } from './wait.mjs';

const { scene } = stage();

scene('two find each other and become friends', async (play) => {
  const alee = await play.person('alee');
  const bob = await play.person('bob');
  await alee.tab('Friends');
  await alee.side.getByText('No friends yet').waitFor();
  await alee.side.getByRole('button', { name: 'Find people' }).click();
  await alee.dialog.getByRole('searchbox').fill('nobody-of-this-name');
  await alee.dialog.getByText('Nobody found').waitFor();
  await alee.dialog.getByRole('searchbox').fill(bob.username);
  const found = alee.dialog.getByRole('article').filter({ hasText: bob.username });
  await found.getByRole('button', { name: 'Add friend' }).click();
  const note = alee.page.getByRole('dialog', { name: `Ask ${bob.username} to be friends` });
  await note.getByLabel('Note').fill('We met at the <tea house>');
  await note.getByRole('button', { name: 'Send request' }).click();
  await note.waitFor({ state: 'detached' });
  await found.getByText('Asked').waitFor();
  await alee.page.keyboard.press('Escape');
  await alee.side.getByRole('region', { name: 'Friend requests' }).getByText('We met at the <tea house>').or(alee.side.getByText('No answer yet.')).first().waitFor();

  await bob.page.getByRole('tab', { name: 'Friends' }).getByText('1', { exact: true }).waitFor();
  await bob.tab('Friends');
  const request = bob.side.getByRole('region', { name: 'Friend requests' });
  await request.getByText('We met at the <tea house>').waitFor();
  await request.getByRole('button', { name: 'Accept' }).click();
  for (const [actor, friend] of [[alee, bob], [bob, alee]]) {
    await actor.tab('Friends');
    await actor.row(friend.username).waitFor();
    await actor.side.getByText('1/1').waitFor();
    await actor.side.getByRole('region', { name: 'Friend requests' }).waitFor({ state: 'detached' });
  }
  await alee.openChat(bob.username);
  await alee.say('now we can talk');
  await bob.tab('Chats');
  await bob.openChat(alee.username);
  await bob.sees('now we can talk');
});

scene('a request is withdrawn, another one refused with a note', async (play) => {
  const bob = await play.person('bob');
  const alee = await play.person('alee', { path: `/#/u/${bob.id}` });
  const ask = async (text) => {
    await openDetails(alee);
    await alee.details.getByRole('button', { name: 'Add friend' }).click();
    await alee.dialog.getByLabel('Note').fill(text);
    await alee.dialog.getByRole('button', { name: 'Send request' }).click();
    await alee.dialog.waitFor({ state: 'detached' });
  };
  await ask('first');
  await bob.openChat(alee.username);
  await bob.log.getByText('first').waitFor();
  await alee.details.getByRole('button', { name: 'Withdraw request' }).click();
  await alee.toast('The request was withdrawn.');
  await bob.log.getByRole('button', { name: 'Accept' }).waitFor({ state: 'detached' });
  await ask('second');
  await bob.tab('Friends');
  const request = bob.side.getByRole('region', { name: 'Friend requests' });
  await request.getByText('second').waitFor();
  await bob.choose(request.getByRole('button', { name: 'More' }), 'Refuse with a note');
  await bob.dialog.getByLabel('A note, if you like').fill('not now');
  await bob.dialog.getByRole('button', { name: 'Refuse' }).click();
  await alee.log.getByText(`${bob.username} refused your request`).waitFor();
  await alee.details.getByRole('button', { name: 'Add friend' }).waitFor();
});

scene('friends are put into groups, and removed', async (play) => {
  const [bob, carol] = [await play.client('bob'), await play.client('carol')];
  const alee = await play.person('alee', { friends: [bob, carol] });
  await alee.tab('Friends');
  await alee.row(bob.username).waitFor();
  await alee.side.getByRole('button', { name: 'New group' }).click();
  await alee.dialog.getByLabel('Name of the group').fill('茶友');
  await alee.dialog.getByRole('button', { name: 'Create' }).click();
  await alee.side.getByText('Nobody in it yet.').waitFor();
  await alee.choose(alee.side.getByRole('button', { name: `Menu of ${bob.username}` }), 'Move to a group');
  await alee.page.getByRole('menuitemradio', { name: '茶友' }).click();
  await alee.side.getByText('Nobody in it yet.').waitFor({ state: 'detached' });
  await alee.choose(alee.side.getByRole('button', { name: 'Menu of the group 茶友' }), 'Rename group');
  await alee.dialog.getByLabel('Name of the group').fill('Tea');
  await alee.dialog.getByRole('button', { name: 'Save' }).click();
  const tea = alee.side.getByRole('button', { name: /^Tea/ });
  await tea.waitFor();
  await alee.reload();
  await alee.tab('Friends');
  await tea.click();
  await alee.row(bob.username).waitFor({ state: 'detached' });
  await tea.click();
  await alee.row(bob.username).waitFor();

  await alee.choose(alee.side.getByRole('button', { name: `Menu of ${carol.username}` }), 'Remove friend');
  await alee.dialog.getByRole('button', { name: 'Remove friend' }).click();
  await alee.row(carol.username).waitFor({ state: 'detached' });
});

scene('who is blocked cannot write, and is unblocked in the settings', async (play) => {
  const bob = await play.person('bob');
  const alee = await play.person('alee', { path: `/#/u/${bob.id}` });
  await alee.say('hello');
  await alee.sent('hello');
  await bob.openChat(alee.username);
  await openDetails(bob);
  await bob.details.getByRole('button', { name: 'Block', exact: true }).click();
  await bob.dialog.getByRole('button', { name: 'Block', exact: true }).click();
  await bob.main.getByText('You have blocked this person.').waitFor();
  await alee.say('are you there?');
  await alee.log.getByRole('alert').getByText('You cannot write to this person.').waitFor();
  await alee.log.getByRole('alert').getByRole('button', { name: 'Discard' }).click();
  await alee.log.getByRole('alert').waitFor({ state: 'detached' });
  assert.equal(await bob.message('are you there?').count(), 0);

  await bob.choose(bob.myMenu, 'Settings');
  await bob.dialog.getByRole('tab', { name: 'Blocked' }).click();
  await bob.dialog.getByText(alee.username).waitFor();
  await bob.dialog.getByRole('button', { name: 'Unblock' }).click();
  await bob.dialog.getByText('Nobody is blocked').waitFor();
  await bob.page.keyboard.press('Escape');
  await bob.composer.waitFor();
  await alee.say('and now?');
  await bob.sees('and now?');
});

scene('the profile with a picture is seen by friends at once', async (play) => {
  const client = await play.client('bob');
  const alee = await play.person('alee', { friends: [client] });
  const bob = await play.device(client, { path: `/#/u/${alee.id}` });
  await alee.openChat(bob.username);
  await bob.choose(bob.myMenu, 'My profile');
  await bob.dialog.getByLabel('Nickname').fill('Bobby 鲍勃');
  await bob.dialog.getByLabel('About you').fill('likes <tea> & talk');
  await bob.dialog.getByRole('radio', { name: 'Male', exact: true }).check({ force: true });
  const [chooser] = await Promise.all([
    bob.page.waitForEvent('filechooser'),
    bob.dialog.getByRole('button', { name: 'Choose a picture' }).click(),
  ]);
  await chooser.setFiles({ name: 'face.png', mimeType: 'image/png', buffer: picture(300, 200) });
  await bob.dialog.getByRole('button', { name: 'Change' }).waitFor();
  await bob.dialog.getByRole('button', { name: 'Save' }).click();
  await bob.toast('Saved.');
  await bob.myMenu.getByText('Bobby 鲍勃').waitFor();
  await alee.row('Bobby 鲍勃').waitFor();
  await alee.page.getByRole('heading', { name: 'Bobby 鲍勃' }).waitFor();
  await openDetails(alee);
  await alee.details.getByText('likes <tea> & talk').waitFor();
  await alee.details.getByText('Male').waitFor();
  const face = alee.details.locator('img').first();
  const size = await eventually('the picture has loaded', () => face.evaluate((image) => [image.naturalWidth, image.naturalHeight]), ([width]) => width > 0);
  assert.equal(size[0], size[1], 'it is cut to a square');
});

scene('what is no picture cannot be one\'s face', async (play) => {
  play.allow(/status of 400/);
  const bob = await play.person('bob');
  await bob.choose(bob.myMenu, 'My profile');
  const [chooser] = await Promise.all([
    bob.page.waitForEvent('filechooser'),
    bob.dialog.getByRole('button', { name: 'Choose a picture' }).click(),
  ]);
  await chooser.setFiles({ name: 'face.png', mimeType: 'image/png', buffer: Buffer.from('not a picture at all') });
  await bob.dialog.getByRole('alert').getByText('This is no picture that the server can read.').waitFor();
});

scene('sessions are listed and ended, one by one and all', async (play) => {
  const account = await play.client('alee');
  const first = await play.device(account);
  const second = await play.device(account);
  await first.choose(first.myMenu, 'Settings');
  await first.dialog.getByRole('tab', { name: 'Devices' }).click();
  const sessions = first.dialog.getByRole('listitem');
  await eventually('three sessions', () => sessions.count(), (count) => count === 3);
  await sessions.filter({ hasText: 'This one' }).getByText('online now').waitFor();
  // Those that are not this one: the plain client's and the second browser's.
  while ((await first.dialog.getByRole('button', { name: 'Sign out', exact: true }).count()) > 0) {
    const before = await sessions.count();
    await first.dialog.getByRole('button', { name: 'Sign out', exact: true }).first().click();
    await eventually('one less', () => sessions.count(), (count) => count < before);
  }
  await second.page.getByText('This device was signed out from another one.').waitFor();
  await second.button('Sign in').waitFor();

  const third = await play.device(account);
  await first.dialog.getByRole('button', { name: 'Sign out everywhere' }).click();
  await first.page.getByRole('dialog', { name: 'Sign out everywhere?' }).getByRole('button', { name: 'Sign out everywhere' }).click();
  await first.button('Sign in').waitFor();
  await third.button('Sign in').waitFor();
  await third.reload();
  await third.button('Sign in').waitFor();
});

scene('a changed password signs the other devices out', async (play) => {
  const account = await play.client('alee');
  const first = await play.device(account);
  const second = await play.device(account);
  await first.choose(first.myMenu, 'Settings');
  await first.dialog.getByRole('tab', { name: 'Account' }).click();
  await first.dialog.getByLabel('New password', { exact: true }).fill('another-222222');
  await first.dialog.getByLabel('New password again', { exact: true }).fill('something-else');
  await first.dialog.getByRole('button', { name: 'Change password' }).click();
  await first.dialog.getByRole('alert').getByText('The two are not the same.').waitFor();
  await first.dialog.getByLabel('New password again', { exact: true }).fill('another-222222');
  await first.dialog.getByRole('button', { name: 'Change password' }).click();
  await first.toast('The password was changed.');
  await second.page.getByText('The password was changed. Sign in with the new one.').waitFor();
  await first.reload();
  await first.myMenu.waitFor();
  const client = await otherDevice(play.url, newest, { ...account, password: 'another-222222' });
  await ok(client, 'signin', { username: account.username, password: 'another-222222' });
  client.close();
});

scene('the settings of colours, language and the key that sends are kept', async (play) => {
  const bob = await play.client('bob');
  const alee = await play.person('alee', { path: `/#/u/${bob.id}` });
  const back = () => alee.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await back();
  await alee.choose(alee.myMenu, 'Settings');
  await alee.dialog.getByRole('radio', { name: 'Dark' }).check({ force: true });
  await eventually('the page is dark', back, (colour) => colour !== light);
  await alee.dialog.getByRole('radio', { name: 'Ctrl + Enter' }).check({ force: true });
  await alee.dialog.getByRole('radio', { name: '简体中文' }).click({ force: true });
  const field = alee.page.getByRole('textbox', { name: '输入消息' }).or(alee.main.getByRole('textbox'));
  await alee.page.getByRole('tab', { name: '好友' }).waitFor();
  assert.notEqual(await back(), light);
  assert.equal(await alee.page.evaluate(() => document.documentElement.lang), 'zh-CN');
  await field.first().fill('one line');
  await field.first().press('Enter');
  await field.first().pressSequentially('and another');
  await field.first().press('Control+Enter');
  await eventually('both are said at once', () => alee.texts(), (texts) => texts.includes('one line\nand another'));
});

scene('notifications are offered once, and told of in the title', async (play) => {
  const bob = await play.client('bob');
  const alee = await play.person('alee', { friends: [bob], hint: true, permissions: ['notifications'] });
  await alee.context.clearPermissions();
  await alee.reload();
  await alee.side.getByText('Hear of new messages while you look elsewhere?').waitFor();
  await alee.side.getByRole('button', { name: 'Not now' }).click();
  await alee.side.getByText('Hear of new messages').waitFor({ state: 'detached' });
  await alee.reload();
  await alee.row(bob.username).waitFor();
  assert.equal(await alee.side.getByText('Hear of new messages').count(), 0);
});

async function openDetails(actor) {
  if (await actor.details.count()) return;
  await actor.choose(actor.main.getByRole('button', { name: 'More' }), 'Details');
  await actor.details.waitFor();
}
