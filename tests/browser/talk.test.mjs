// Two people talk: messages, presence, reading, typing, edits, quotes, search.

import assert from 'node:assert/strict';
import { ok } from '../clients/people.mjs';
import { WAIT_MS, within } from '../clients/wait.mjs';
import { stage } from './stage.mjs';
import { eventually } from './wait.mjs';

const { scene } = stage();

scene('messages go both ways, with ticks, typing, the divider and the counts', async (play) => {
  const bob = await play.person('bob');
  const client = await play.client('alee');
  const alee = await play.device(client);
  await alee.goTo(`#/u/${bob.id}`);
  await alee.say('hello bob');
  await alee.sent('hello bob');

  // Bob has not opened it yet: it is counted.
  await bob.row(alee.username).getByText('hello bob').waitFor();
  await bob.row(alee.username).getByLabel('1 unread message').waitFor();
  await bob.title('(1) nodeim');
  await alee.say('are you there?');
  await bob.row(alee.username).getByLabel('2 unread messages').waitFor();
  await bob.page.getByRole('tab', { name: 'Chats' }).getByLabel('2 unread messages').waitFor();
  await bob.title('(2) nodeim');
  assert.equal(await alee.log.getByRole('img', { name: 'Read' }).count(), 0);

  await bob.openChat(alee.username);
  await bob.log.getByText('New messages').waitFor();
  await bob.title('nodeim');
  await eventually('alee sees both read', () => alee.log.getByRole('img', { name: 'Read', exact: true }).count(), (count) => count === 2);

  await bob.composer.pressSequentially('y');
  await alee.main.getByText('writing …').waitFor();
  await alee.row(bob.username).getByText('writing …').waitFor();
  await bob.say('yes');
  await alee.sees('yes');
  await alee.main.getByText('writing …').waitFor({ state: 'detached' });
  await bob.log.getByText('New messages').waitFor({ state: 'detached' });
  assert.deepEqual(await alee.texts(), ['hello bob', 'are you there?', 'yes']);
  assert.deepEqual(await bob.texts(), ['hello bob', 'are you there?', 'yes']);

  // What was read is still read after a reload.
  await bob.reload();
  await bob.sees('yes');
  await bob.title('nodeim');
});

scene('what is said while a conversation opens is in it, though the answer with its history is older', async (play) => {
  const carol = await play.client('carol');
  // The answer is made before the message is said, and read after it.
  let answered, goOn;
  const isAnswered = new Promise((resolve) => (answered = resolve));
  const said = new Promise((resolve) => (goOn = resolve));
  const holdBack = (context) =>
    context.routeWebSocket(/socket\.io/, (page) => {
      const server = page.connectToServer();
      server.onMessage(async (frame) => {
        if (/^43\d+\[.*"messages":.*"peerRead":/.test(frame)) {
          answered();
          await said;
        }
        page.send(frame);
      });
    });
  const alee = await play.person('alee', { friends: [carol], before: holdBack });
  await ok(carol, 'message', { to: alee.id, message: 'before' });
  await alee.openChat(carol.username);
  await within(isAnswered, WAIT_MS, () => 'the page asked for no history');
  await ok(carol, 'message', { to: alee.id, message: 'meanwhile' });
  await alee.row(carol.username).getByText('meanwhile').waitFor();
  goOn();
  await alee.sees('meanwhile');
  assert.deepEqual(await alee.texts(), ['before', 'meanwhile']);
});

scene('an old client reads and writes along', async (play) => {
  const old = await play.client('carol');
  const alee = await play.person('alee', { friends: [old] });
  await ok(old, 'message', { to: alee.id, message: 'from <b>long</b> ago' });
  await alee.openChat(old.username);
  await alee.sees('from long ago');
  assert.equal(await alee.message('from long ago').locator('b').innerText(), 'long');
  await alee.say('a < b & c');
  const event = await old.take('message', ({ type, message }) => !type && message.startsWith('a'));
  assert.equal(event.message, 'a &lt; b &amp; c');
});

scene('links, lines and emoji are shown as what they are', async (play) => {
  const bob = await play.client('bob');
  const alee = await play.person('alee', { path: `/#/u/${bob.id}` });
  await alee.say('see https://example.org/a?b=1&c=2, and mail@example.org');
  const link = alee.message('see https').getByRole('link');
  await link.waitFor();
  assert.equal(await link.count(), 1);
  assert.equal(await link.getAttribute('href'), 'https://example.org/a?b=1&c=2');
  assert.equal(await link.getAttribute('rel'), 'noopener noreferrer');
  assert.equal(await link.getAttribute('target'), '_blank');

  await alee.composer.fill('one');
  await alee.composer.press('Shift+Enter');
  await alee.composer.pressSequentially('two');
  await alee.composer.press('Enter');
  await alee.sent('two');
  assert.ok((await alee.texts()).includes('one\ntwo'));

  await alee.button('Emoji').click();
  await alee.page.getByRole('searchbox', { name: 'Search emoji' }).fill('panda');
  await alee.page.getByRole('button', { name: /panda/i }).first().click();
  await eventually('the emoji is in the field', () => alee.composer.inputValue(), (value) => value === '🐼');
  assert.ok(await alee.composer.evaluate((field) => field === document.activeElement), 'the focus is back in the field');
  await alee.composer.press('Enter');
  await alee.sent('🐼');
  const size = (text) => alee.log.locator('.text', { hasText: text }).last().evaluate((one) => parseFloat(getComputedStyle(one).fontSize));
  assert.ok((await size('🐼')) > 1.5 * (await size('two')), 'an emoji alone is large');
});

scene('one edits, takes back, and answers with a quote', async (play) => {
  const bob = await play.person('bob');
  const alee = await play.person('alee', { path: `/#/u/${bob.id}` });
  await alee.say('a frist word');
  await alee.sent('a frist word');
  await bob.openChat(alee.username);

  await alee.messageMenu('a frist word', 'Edit');
  assert.equal(await alee.composer.inputValue(), 'a frist word');
  await alee.say('a first word');
  await bob.message('a first word').getByText('edited').waitFor();
  await alee.message('a first word').getByText('edited').waitFor();
  assert.equal(await bob.message('frist').count(), 0);

  await bob.messageMenu('a first word', 'Reply');
  await bob.page.getByText(`Reply to ${alee.username}`).waitFor();
  await bob.say('and a second one');
  await alee.message('and a second one').getByRole('button', { name: /a first word/ }).waitFor();

  // The arrow up edits the last of one's own; Esc gives up.
  await bob.composer.press('ArrowUp');
  assert.equal(await bob.composer.inputValue(), 'and a second one');
  await bob.composer.press('Escape');
  assert.equal(await bob.composer.inputValue(), '');

  await bob.messageMenu('and a second one', 'Take back');
  await bob.dialog.getByRole('button', { name: 'Cancel' }).click();
  await bob.sees('and a second one');
  await bob.messageMenu('and a second one', 'Take back');
  await bob.dialog.getByRole('button', { name: 'Take back' }).click();
  await alee.log.getByText(`${bob.username} took back a message`).waitFor();
  await bob.log.getByText('You took back a message').waitFor();
  await bob.row(alee.username).getByText('You took back a message').waitFor();
  assert.deepEqual(await alee.texts(), ['a first word']);

  await alee.reload();
  await alee.message('a first word').getByText('edited').waitFor();
  await alee.log.getByText(`${bob.username} took back a message`).waitFor();
});

scene('presence changes are seen by friends, and the invisible look offline', async (play) => {
  const client = await play.client('bob');
  const alee = await play.person('alee', { friends: [client] });
  const bob = await play.device(client);
  client.close();
  const seen = (presence) => alee.row(bob.username).getByRole('img', { name: presence, exact: true }).waitFor();
  await seen('Online');
  for (const [chosen, shown] of [['Busy', 'Busy'], ['Away', 'Away'], ['Invisible', 'Offline'], ['Online', 'Online']]) {
    await bob.choose(bob.myMenu, chosen);
    await seen(shown);
    await bob.myMenu.getByText(chosen, { exact: true }).waitFor();
  }
  await bob.choose(bob.myMenu, 'Invisible');
  await seen('Offline');
  await bob.reload();
  await bob.myMenu.getByText('Invisible').waitFor();
  await bob.page.close();
  await seen('Offline');
});

scene('search finds words and Chinese text, and jumps to the message', async (play) => {
  const client = await play.client('bob');
  const alee = await play.person('alee', { friends: [client] });
  const say = (message) => ok(client, 'message', { to: alee.id, message });
  await say('the quick brown fox');
  await say('我们明天去喝茶吧');
  // Far enough back that the list does not hold it at first.
  for (let number = 1; number <= 120; number += 1) await say(`line ${number}`);
  await alee.row(client.username).getByText('line 120').waitFor();

  const everywhere = alee.side.getByRole('searchbox', { name: 'Search' });
  await everywhere.fill('quick fox');
  await alee.side.getByRole('button').filter({ hasText: 'the quick brown fox' }).waitFor();
  await everywhere.fill('明天');
  await alee.side.getByRole('button').filter({ hasText: '我们明天去喝茶吧' }).click();
  const hit = alee.message('我们明天去喝茶吧');
  await hit.waitFor();
  await eventually('the hit is in view', () => inView(hit));

  await everywhere.fill('nothing-like-this');
  await alee.side.getByText('Nothing found').waitFor();
  await everywhere.press('Escape');
  assert.equal(await everywhere.inputValue(), '');

  await alee.main.getByRole('button', { name: 'Jump to the end' }).click();
  await eventually('the end is in view', () => inView(alee.message('line 120')));
  await alee.main.getByRole('button', { name: 'Search in this conversation' }).click();
  const here = alee.main.getByRole('searchbox', { name: 'Search in this conversation' });
  await here.fill('brown');
  await alee.main.getByRole('search').getByRole('button').filter({ hasText: 'the quick brown fox' }).click();
  await eventually('the other hit is in view', () => inView(alee.message('the quick brown fox')));
  await here.press('Escape');
  assert.equal(await here.inputValue(), '');
  await here.press('Escape');
  await here.waitFor({ state: 'detached' });
});

scene('a search finds a conversation by its name', async (play) => {
  const bob = await play.client('bob');
  const carol = await play.client('carol');
  const alee = await play.person('alee', { friends: [bob, carol] });
  await alee.row(bob.username).waitFor();
  await alee.side.getByRole('searchbox', { name: 'Search' }).fill('caro');
  await alee.row(carol.username).waitFor();
  await alee.row(bob.username).waitFor({ state: 'detached' });
  await alee.openChat(carol.username);
  await alee.page.getByRole('heading', { name: carol.username }).waitFor();
});

scene('a friend of one\'s other device: both show the same', async (play) => {
  const bob = await play.person('bob');
  const alee = await play.person('alee', { path: `/#/u/${bob.id}` });
  const other = await play.device(alee);
  await alee.say('from the first');
  await other.openChat(bob.username);
  await other.sees('from the first');
  await other.say('from the second');
  await alee.sees('from the second');
  await bob.row(alee.username).getByLabel('2 unread messages').waitFor();
  await bob.openChat(alee.username);
  await bob.say('and an answer');
  await alee.sees('and an answer');
  await other.sees('and an answer');
  await alee.title('nodeim');
  await other.title('nodeim');
});

async function inView(locator) {
  if ((await locator.count()) !== 1) return false;
  return locator.evaluate((one) => {
    const box = one.closest('[role="log"]').getBoundingClientRect();
    const { top, bottom } = one.getBoundingClientRect();
    return top >= box.top && bottom <= box.bottom + 1;
  });
}
