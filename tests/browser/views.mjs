// The views of the page, filled as in real life: for the pictures and for the check of accessibility.

import { ok } from '../clients/people.mjs';
import { picture } from './files.mjs';

const WORDS = {
  en: {
    names: ['Carol', 'Dave', 'Erin'],
    lines: ['Good morning! Are we still on for tea?', 'Sure. At four?', 'Four is fine. See https://example.org/tea for the way, it is the second door on the left behind the old library, you cannot miss it.', 'I bring cake 🍰', '🎉', 'See you there!'],
    room: 'Tea house', intro: 'Talk about tea, and about everything else', about: 'Likes tea and long walks', note: 'We met at the library.', group: 'Tea friends',
  },
  zh: {
    names: ['小红', '大伟', '艾琳'],
    lines: ['早上好！今天还去喝茶吗？', '当然，四点？', '四点可以。地址在 https://example.org/tea ，在老图书馆后面左边第二个门，很容易找到，别走错了。', '我带蛋糕 🍰', '🎉', '到时候见！'],
    room: '茶馆', intro: '谈茶，也谈别的', about: '喜欢喝茶和散步', note: '我们在图书馆见过。', group: '茶友',
  },
};

/** Somebody with friends, a request, a room and things said. */
export async function household(play, language) {
  const words = WORDS[language];
  const [me, carol, dave, erin] = await Promise.all(['alee', 'carol', 'dave', 'erin'].map((name) => play.client(name)));
  for (const [index, friend] of [carol, dave, erin].entries()) await ok(friend, 'profile', { doc: { nick: words.names[index], sign: words.about } });
  for (const friend of [carol, dave]) {
    await ok(me, 'subscribe', { to: friend.id });
    await ok(friend, 'reply', { to: me.id });
  }
  await ok(erin, 'subscribe', { to: me.id, message: words.note });
  for (const [index, line] of words.lines.entries()) {
    const [from, to] = index % 2 ? [me, carol] : [carol, me];
    await ok(from, 'message', { to: to.id, message: line, format: 'plain' });
  }
  const { room } = await ok(me, 'room.create', { name: words.room, intro: words.intro });
  for (const friend of [carol, dave]) await ok(friend, 'room.join', { id: room.id });
  for (const [index, line] of words.lines.entries()) await ok([carol, me, dave][index % 3], 'room.message', { room: room.id, message: line, format: 'plain' });
  await ok(carol, 'message', { to: me.id, message: words.lines[0], format: 'plain', reply: 6 });
  await ok(dave, 'presence', { presence: '忙碌' });
  return { me, carol, dave, erin, room, words };
}

/** Walks through the views, and calls `seen(name, actor)` at each. */
export async function walk(play, { language = 'en', seen, ...look }) {
  const words = await labels(language);
  const options = { locale: language === 'zh' ? 'zh-CN' : 'en-US', ...look };
  const visitor = await play.visitor(options);
  const button = (actor, name) => actor.page.getByRole('button', { name, exact: true });
  await button(visitor, words.signIn).waitFor();
  await seen('1-sign-in', visitor);
  await button(visitor, words.signUp).click();
  await seen('2-sign-up', visitor);
  await button(visitor, words.signIn).click();
  await button(visitor, words.forgot).click();
  await seen('3-forgotten', visitor);
  await visitor.page.close();

  const newcomer = await play.person('bob', options);
  await newcomer.side.getByRole('heading').first().waitFor();
  await seen('4-empty', newcomer);
  await newcomer.page.close();

  const home = await household(play, language);
  const me = await play.device(home.me, options);
  const { page, side, main } = me;
  const phone = look.phone;
  await me.row(home.words.room).waitFor();
  await seen('5-chats', me);
  await me.goTo(`#/u/${home.carol.id}`);
  const composer = page.getByRole('textbox', { name: words.compose });
  await composer.waitFor();
  await me.log.getByText(home.words.lines[2].slice(0, 12)).first().waitFor();
  await seen('6-conversation', me);

  await me.goTo(`#/r/${home.room.id}`);
  await me.page.getByRole('heading', { name: home.words.room }).first().waitFor();
  await composer.waitFor();
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), button(me, words.attach).click()]);
  await chooser.setFiles([{ name: 'garden.png', mimeType: 'image/png', buffer: picture(640, 400) }]);
  await composer.fill('…');
  await me.log.getByText(home.words.lines[2].slice(0, 12)).first().waitFor();
  await seen('7-room', me);
  await main.getByRole('button', { name: words.more, exact: true }).click();
  await page.getByRole('menu').waitFor();
  await seen('8-menu', me);
  await me.menuItem(words.details).click();
  await me.details.getByRole('listitem').nth(2).waitFor();
  await seen('9-room-details', me);
  await me.details.getByRole('button', { name: words.invite }).click();
  await me.dialog.getByRole('checkbox').first().waitFor();
  await seen('10-invite', me);
  await page.keyboard.press('Escape');
  await me.details.getByRole('button', { name: words.close, exact: true }).click();
  await button(me, words.emoji).click();
  await page.getByRole('dialog').getByRole('button').nth(20).waitFor();
  await seen('11-emoji', me);
  await page.keyboard.press('Escape');

  if (phone) await main.getByRole('button', { name: words.back, exact: true }).click();
  await page.getByRole('tab', { name: words.friends }).click();
  await side.getByText(home.words.note).waitFor();
  await seen('12-friends', me);
  await page.getByRole('tab', { name: words.rooms }).click();
  await me.row(home.words.room).waitFor();
  await seen('13-rooms', me);
  await page.getByRole('tab', { name: words.chats }).click();
  await side.getByRole('searchbox').fill(language === 'zh' ? '图书' : 'tea');
  await side.getByRole('button').filter({ hasText: language === 'zh' ? '图书' : 'tea' }).first().waitFor();
  await seen('14-search', me);
  await side.getByRole('searchbox').press('Escape');

  const openMine = async (item) => {
    await side.getByRole('button', { name: words.myMenu }).click();
    await me.menuItem(item).click();
    await me.dialog.waitFor();
  };
  await side.getByRole('button', { name: words.myMenu }).click();
  await seen('15-my-menu', me);
  await page.keyboard.press('Escape');
  await openMine(words.myProfile);
  await seen('16-profile', me);
  await page.keyboard.press('Escape');
  await openMine(words.settings);
  await seen('17-settings', me);
  for (const [index, part] of ['account', 'devices', 'blocks'].entries()) {
    await me.dialog.getByRole('tab', { name: words[part] }).click();
    await me.dialog.getByRole('tabpanel', { name: words[part] }).waitFor();
    await seen(`${18 + index}-settings-${part}`, me);
  }
  await page.keyboard.press('Escape');
  await page.getByRole('tab', { name: words.rooms }).click();
  await side.getByRole('button', { name: words.createRoom }).click();
  await me.dialog.waitFor();
  await seen('21-create-room', me);
  await page.keyboard.press('Escape');
  await page.getByRole('tab', { name: words.friends }).click();
  await side.getByRole('button', { name: words.findPeople }).click();
  await me.dialog.getByRole('searchbox').fill(home.erin.username);
  await me.dialog.getByRole('article').waitFor();
  await seen('22-find-people', me);
  await me.dialog.getByRole('button', { name: words.close, exact: true }).click();
  await me.goTo(`#/u/${home.dave.id}`);
  await composer.waitFor();
  await main.getByRole('button', { name: words.more, exact: true }).click();
  await me.menuItem(words.details).click();
  await me.details.waitFor();
  await seen('23-person', me);
}

/** The page's own texts: what the tests look for in Chinese is what the page says in Chinese. */
async function labels(language) {
  const module = await import(`../../static/app/words/${language}.js`);
  return module[language];
}
