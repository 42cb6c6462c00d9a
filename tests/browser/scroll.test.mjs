// A long conversation: older messages come while one scrolls up, and nothing moves under the eye.

import assert from 'node:assert/strict';
import { ok } from '../clients/people.mjs';
import { stage } from './stage.mjs';
import { eventually } from './wait.mjs';

const { scene } = stage();
const COUNT = 320;

scene('scrolling up brings in all older messages and keeps the place', async (play) => {
  const { alee, bob } = await longTalk(play);
  assert.ok((await rows(alee)) < COUNT, 'not everything is there at once');

  for (let round = 0; (await rows(alee)) < COUNT; round += 1) {
    assert.ok(round < 20, 'each round brings in some');
    const before = await rows(alee);
    // From here older ones are asked for; what is on top now must stay on top.
    const seq = await alee.log.evaluate((log) => {
      log.scrollTop = 200;
      const edge = log.getBoundingClientRect().top;
      return [...log.querySelectorAll('[data-seq]')].find((row) => row.getBoundingClientRect().bottom > edge).dataset.seq;
    });
    const place = await placeOf(alee, seq);
    await eventually('more rows', () => rows(alee), (count) => count > before);
    const moved = (await placeOf(alee, seq)) - place;
    assert.ok(Math.abs(moved) <= 2, `message ${seq} moved by ${moved} px`);
  }
  await alee.log.getByText('This is the beginning.').waitFor();
  const lines = (await alee.texts()).filter((text) => text.startsWith('line'));
  assert.deepEqual(lines, Array.from({ length: COUNT }, (_, index) => `line ${index + 1}`));

  // A message that comes while one reads far above moves nothing, and is told of.
  const seq = await alee.log.evaluate((log) => {
    log.scrollTop = 1_000;
    const edge = log.getBoundingClientRect().top;
    return [...log.querySelectorAll('[data-seq]')].find((row) => row.getBoundingClientRect().bottom > edge).dataset.seq;
  });
  const place = await placeOf(alee, seq);
  await ok(bob, 'message', { to: alee.id, message: 'something new' });
  await alee.button('1 new message, jump to the end').waitFor();
  assert.ok(Math.abs((await placeOf(alee, seq)) - place) <= 2);
  await alee.title('(1) nodeim');
  await alee.button('1 new message, jump to the end').click();
  await alee.sees('something new');
  await alee.title('nodeim');
  await atEnd(alee);
});

scene('at the end, new messages push the older ones up', async (play) => {
  const { alee, bob } = await longTalk(play, 60);
  for (let number = 1; number <= 20; number += 1) await ok(bob, 'message', { to: alee.id, message: `more ${number}` });
  await alee.sees('more 20');
  await atEnd(alee);

  // One's own brings one back to the end, wherever one was.
  await alee.log.evaluate((log) => (log.scrollTop = 0));
  await alee.button('Jump to the end').waitFor();
  await alee.say('here I am');
  await alee.sent('here I am');
  await atEnd(alee);
});

scene('many unread messages: one begins where one left off', async (play) => {
  const { alee, bob } = await longTalk(play, 10);
  await alee.page.goto('about:blank');
  for (let number = 11; number <= 130; number += 1) await ok(bob, 'message', { to: alee.id, message: `line ${number}` });
  await alee.page.goto('/');
  await alee.row(bob.username).getByText('99+').waitFor();
  await alee.openChat(bob.username);
  const divider = alee.log.getByText('New messages');
  await divider.waitFor();
  await eventually('the divider is in view', () => divider.evaluate((line) => {
    const box = line.closest('[role="log"]').getBoundingClientRect();
    const { top, bottom } = line.getBoundingClientRect();
    return top >= box.top && bottom <= box.bottom;
  }));
  await alee.main.getByRole('button', { name: /jump to the end/i }).click();
  await alee.sees('line 130');
  await alee.title('nodeim');
});

/** Alee has read all that bob said, and then opens the page anew: it shows the end of it. */
async function longTalk(play, count = COUNT) {
  const bob = await play.client('bob');
  const alee = await play.person('alee', { friends: [bob], path: `/#/u/${bob.id}` });
  await alee.log.getByText('You are friends now').waitFor();
  const said = [];
  for (let number = 1; number <= count; number += 1) said.push(ok(bob, 'message', { to: alee.id, message: `line ${number}` }));
  await Promise.all(said);
  await alee.sees(`line ${count}`);
  await alee.title('nodeim');
  await alee.reload();
  await alee.sees(`line ${count}`);
  return { alee, bob };
}

const rows = async (actor) => (await actor.texts()).filter((text) => text.startsWith('line')).length;

/** How far a message is below the upper edge of what can be seen. */
function placeOf(actor, seq) {
  return actor.log.locator(`[data-seq="${seq}"]`).evaluate((row) => row.getBoundingClientRect().top - row.closest('[role="log"]').getBoundingClientRect().top);
}

function atEnd(actor) {
  return eventually('the end is in view', () => actor.log.evaluate((log) => log.scrollHeight - log.scrollTop - log.clientHeight), (below) => below < 4);
}
