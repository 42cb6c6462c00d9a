// Everything that one person can make another one's page show, with a script in it: none may run.

import assert from 'node:assert/strict';
import { ok } from '../clients/people.mjs';
import { stage } from './stage.mjs';

const { scene } = stage();

const PWN = 'window.__pwned=1;top.__pwned=1';

/** What a message of an old client may hold: it is HTML. */
const MESSAGES = [
  `<img src=x onerror="${PWN}">`,
  `<img src="/app/icon.svg" onload="${PWN}">`,
  `<script>${PWN}</script>`,
  `<svg onload="${PWN}"><script>${PWN}</script></svg>`,
  `<svg><animate onbegin="${PWN}" attributeName=x dur=1s></svg>`,
  `<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=${PWN}&gt;">`,
  `<iframe src="javascript:${PWN}"></iframe><iframe srcdoc="<script>${PWN}</script>"></iframe>`,
  `<object data="javascript:${PWN}"></object><embed src="javascript:${PWN}">`,
  `<details open ontoggle="${PWN}">x</details><input autofocus onfocus="${PWN}"><video><source onerror="${PWN}"></video>`,
  `<form action="javascript:${PWN}"><button>form</button></form><base href="javascript:${PWN}//">`,
  `<style>@import "javascript:${PWN}"; body{display:none}</style><link rel=stylesheet href="data:text/css,body{display:none}">`,
  `<meta http-equiv="refresh" content="0;url=data:text/html,<script>${PWN}</script>">`,
  `<a href="javascript:${PWN}">script link</a>`,
  `<a href=" java\nscript:${PWN}">script link</a>`,
  `<a href="data:text/html,<script>${PWN}</script>">data link</a>`,
  `<b onmouseover="${PWN}" onclick="${PWN}" style="position:fixed;inset:0;z-index:99999;background:red">over everything</b>`,
  `<font style="background-image:url('javascript:${PWN}')" face="x\\" onclick=${PWN}">styled</font>`,
  `</div></div></div><img/src/onerror=${PWN}>`,
  `&lt;img src=x onerror=${PWN}&gt;`,
];

scene('HTML of an old client', async (play) => {
  const old = await play.client('old');
  const alee = await play.person('alee', { friends: [old] });
  for (const message of MESSAGES) await ok(old, 'message', { to: alee.id, message });
  await ok(old, 'message', { to: alee.id, message: 'the last one' });
  await alee.row(old.username).getByText('the last one').waitFor();
  await alee.openChat(old.username);
  await alee.sees('the last one');
  await alee.sees('over everything');

  const found = await alee.log.evaluate((log) => ({
    tags: [...new Set([...log.querySelectorAll('.text *')].map((one) => one.localName))].sort(),
    handlers: [...log.querySelectorAll('.text *')].filter((one) => [...one.attributes].some(({ name }) => name.startsWith('on'))).length,
    links: [...log.querySelectorAll('.text a[href]')].map((link) => link.protocol),
    fixed: [...log.querySelectorAll('.text *')].filter((one) => /fixed|absolute|sticky/.test(getComputedStyle(one).position)).length,
  }));
  for (const tag of ['script', 'svg', 'style', 'iframe', 'object', 'embed', 'form', 'input', 'video', 'details', 'meta', 'base', 'link', 'math']) {
    assert.ok(!found.tags.includes(tag), `<${tag}> is not for messages`);
  }
  assert.equal(found.handlers, 0);
  assert.equal(found.fixed, 0, 'nothing lies over the page');
  assert.ok(found.links.every((protocol) => /^https?:$/.test(protocol)), `links: ${found.links}`);

  // One who is curious touches all of it.
  for (const text of ['over everything', 'styled', 'script link', 'data link']) {
    for (const row of await alee.message(text).all()) {
      await row.locator('.text').hover();
      await row.locator('.text').click({ position: { x: 5, y: 5 } });
    }
  }
  assert.equal(alee.context.pages().length, 1, 'no link led anywhere');
  await alee.messageMenu('over everything', 'Reply');
  await alee.say('an answer to that');
  await alee.sent('an answer to that');
  await alee.message('an answer to that').getByRole('button', { name: /over everything/ }).waitFor();

  // The same in the search, in the list, and after a reload.
  await alee.side.getByRole('searchbox', { name: 'Search' }).fill('over');
  await alee.side.getByText('over', { exact: true }).first().waitFor();
  await ok(old, 'message', { to: alee.id, message: MESSAGES[0] });
  await ok(old, 'message', { to: alee.id, message: `<img src=x onerror=${PWN}>in the list` });
  await alee.side.getByRole('searchbox', { name: 'Search' }).press('Escape');
  await alee.row(old.username).getByText('in the list').waitFor();
  await alee.reload();
  await alee.sees('in the list');
});

scene('plain text that looks like HTML is shown as it was written', async (play) => {
  const bob = await play.person('bob');
  const alee = await play.person('alee', { path: `/#/u/${bob.id}` });
  const texts = [`<img src=x onerror="${PWN}">`, `<script>${PWN}</script>`, '&lt;b&gt; &amp; "quotes"', `javascript:${PWN}`, `[x](javascript:${PWN})`];
  await bob.goTo(`#/u/${alee.id}`);
  for (const text of texts) {
    await alee.say(text);
    await alee.sent(text);
    await bob.sees(text);
  }
  assert.deepEqual(await bob.texts(), texts);
  assert.equal(await bob.log.locator('.text').getByRole('link').count(), 0);
  await alee.messageMenu(texts[0], 'Edit');
  assert.equal(await alee.composer.inputValue(), texts[0]);
  await alee.say(`${texts[0]} edited`);
  await bob.sees(`${texts[0]} edited`);
  await bob.messageMenu(texts[1], 'Reply');
  await bob.say('quoted');
  await alee.message('quoted').getByRole('button', { name: texts[1] }).waitFor();
});

scene('profiles, requests and rooms of an old client', async (play) => {
  const evil = await play.client('evil');
  const tag = (word) => `${word}<img src=x onerror="${PWN}"><script>${PWN}</script>`;
  await ok(evil, 'profile', { doc: { nick: tag('nick'), sign: tag('sign'), sex: tag('sex'), phone: tag('phone'), facePath: `x" onerror="${PWN}` } });
  await evil.command('presence', { presence: tag('presence') });
  const alee = await play.person('alee');
  await ok(evil, 'subscribe', { to: alee.id, message: tag('request') });
  const room = await evil.command('room.create', { name: 'the room', intro: tag('intro') });
  const roomId = room.room?.id;
  assert.ok(roomId, `the room: ${JSON.stringify(room)}`);
  await ok(evil, 'room.invite', { room: roomId, users: [alee.id] });

  await alee.side.getByRole('link').first().waitFor();
  await alee.goTo(`#/u/${evil.id}`);
  await alee.log.getByText('request').first().waitFor();
  await alee.log.getByText('invites you').waitFor();
  await alee.log.getByRole('button', { name: 'Accept' }).click();
  await alee.log.getByText('are friends now').waitFor();
  await alee.main.getByRole('button', { name: 'More' }).click();
  await alee.menuItem('Details').click();
  await alee.details.waitFor();
  await alee.log.getByRole('button', { name: 'Join' }).click();
  await alee.page.waitForURL(/#\/r\//);
  await alee.composer.waitFor();
  await ok(evil, 'room.message', { room: roomId, message: tag('in the room') });
  await alee.sees('in the room');
  await alee.main.getByRole('button', { name: 'More' }).click();
  await alee.menuItem('Details').click();
  await alee.details.waitFor();
  await alee.tab('Friends');
  await alee.side.getByText('nick').first().waitFor();
  await alee.tab('Rooms');
  await alee.side.getByText('room').first().waitFor();
});

scene('user names that could be markup are refused', async (play) => {
  const { socket } = await play.client('evil');
  for (const username of ['<b>x</b>', 'a"b', "a'b", 'a&b', 'a>b']) {
    const reply = await new Promise((resolve) => socket.emit('signup', { username, password: 'secret-111111' }, resolve));
    assert.notEqual(reply.code, 200, `${username} is refused`);
  }
});
