// Accounts: signing up, in and out, staying signed in, and a new password by the security question.

import assert from 'node:assert/strict';
import { stage } from './stage.mjs';

const { scene } = stage();
const password = 'secret-111111';

async function signUp(actor, username, more = {}) {
  await actor.button('Create account').click();
  await actor.fillIn({ 'User name': username, Password: password });
  if (more.question) {
    await actor.page.getByText('Add a security question').click();
    await actor.fillIn({ 'Security question': more.question, Answer: more.answer });
  }
  await actor.button('Create account').click();
  await actor.myMenu.waitFor();
}

async function signIn(actor, username, secret = password) {
  await actor.fillIn({ 'User name': username, Password: secret });
  await actor.button('Sign in').click();
}

async function signOut(actor) {
  await actor.choose(actor.myMenu, 'Sign out');
  await actor.button('Sign in').waitFor();
}

scene('one signs up, stays signed in over a reload, and signs out', async (play) => {
  const alee = await play.visitor();
  const name = play.fresh('alee');
  await signUp(alee, name);
  await alee.page.getByRole('heading', { name: 'No conversations yet' }).first().waitFor();

  await alee.reload();
  await alee.myMenu.getByText(name).waitFor();

  await signOut(alee);
  await alee.reload();
  await alee.button('Sign in').waitFor();
  assert.equal(await alee.page.evaluate(() => localStorage.getItem('nodeim.token')), null);

  await signIn(alee, name);
  await alee.myMenu.waitFor();
});

scene('a name in Chinese works as well as any', async (play) => {
  const visitor = await play.visitor();
  const name = play.fresh('小明 李');
  await signUp(visitor, name);
  await visitor.myMenu.getByText(name).waitFor();
});

scene('what is wrong is told at its field', async (play) => {
  const { username } = await play.client('bob');
  const visitor = await play.visitor();
  const { page } = visitor;
  const alert = (text) => page.getByRole('alert').getByText(text).waitFor();

  await visitor.button('Sign in').click();
  await alert('Enter your user name.');
  await alert('Enter your password.');
  await signIn(visitor, username, 'not-the-password');
  await alert('User name or password is wrong.');
  assert.equal(await visitor.field('Password').getAttribute('aria-invalid'), 'true');

  await visitor.button('Create account').click();
  await visitor.fillIn({ 'User name': username, Password: '12345' });
  await visitor.button('Create account').click();
  await alert('Use at least 6 characters.');
  await visitor.fillIn({ Password: password });
  await visitor.button('Create account').click();
  await alert('This name is taken.');
  await visitor.fillIn({ 'User name': '<b>bob</b>' });
  await visitor.button('Create account').click();
  await alert('Up to 64 characters');
});

scene('a forgotten password is replaced by the answer to one\'s question', async (play) => {
  const carol = await play.visitor();
  const name = play.fresh('carol');
  await signUp(carol, name, { question: 'What was my first pet called?', answer: '阿黄' });
  await signOut(carol);

  await carol.button('Forgot password?').click();
  await carol.fillIn({ 'User name': name });
  await carol.button('Next').click();
  await carol.fillIn({ 'What was my first pet called?': 'Rex', 'New password': 'another-222222' });
  await carol.button('Set password').click();
  await carol.page.getByRole('alert').getByText('This is not the answer.').waitFor();
  await carol.fillIn({ 'What was my first pet called?': '阿黄' });
  await carol.button('Set password').click();
  await carol.page.getByText('The new password is set.').waitFor();

  await signIn(carol, name, password);
  await carol.page.getByRole('alert').getByText('User name or password is wrong.').waitFor();
  await signIn(carol, name, 'another-222222');
  await carol.myMenu.waitFor();
});

scene('a second tab of the same browser is signed in, and out with the first', async (play) => {
  const alee = await play.person('alee');
  const second = await alee.context.newPage();
  await second.goto('/');
  await second.getByRole('button', { name: /my menu$/ }).getByText(alee.username).waitFor();
  await signOut(alee);
  await second.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
});
