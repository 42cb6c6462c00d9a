// Signing in, signing up, and setting a new password by the security question.

import { html, useEffect, useRef, useSignal, useState } from '../html.js';
import { status } from '../connection.js';
import { endedBecause, resetPassword, securityQuestion, signIn, signUp } from '../session.js';
import { Button } from '../ui/button.js';
import { Field } from '../ui/field.js';
import { errorText, t } from '../words/index.js';

export function Sign() {
  const [mode, setMode] = useState('in');
  const [done, setDone] = useState('');
  const name = useSignal('');
  const go = (next, message = '') => {
    endedBecause.value = null;
    setDone(message);
    setMode(next);
  };
  const Form = { in: SignIn, up: SignUp, reset: Reset }[mode];
  const ended = endedBecause.value;
  return html`<main class="sign">
    <section class="sign-card">
      <header class="sign-head">
        <img src="/app/icon.svg" alt="" />
        <div><h1>nodeim</h1><p>${t('tagline')}</p></div>
      </header>
      <div class="stack">
        ${ended && html`<p class="notice warn" role="status">${t(`ended_${ended}`)}</p>`}
        ${done && html`<p class="notice" role="status">${done}</p>`}
        ${status.value === 'offline' && html`<p class="notice warn" role="status">${t('offlineBanner')}</p>`}
        <${Form} key=${mode} name=${name} go=${go} />
      </div>
    </section>
    <a class="sign-classic" href="/classic.html">${t('classicPage')}</a>
  </main>`;
}

/** A form whose `submit` may return errors by field; what the server refuses becomes one by `place(error)`. */
function Form({ check, run, place, action, children, errors, setErrors }) {
  const form = useRef();
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    // The first field that is wrong, or the first empty one at the beginning.
    const wrong = form.current.querySelector('[aria-invalid]');
    (wrong ?? (errors ? null : [...form.current.querySelectorAll('input')].find((input) => !input.value)))?.focus();
  }, [errors]);
  const submit = async (event) => {
    event.preventDefault();
    if (busy) return;
    const wrong = Object.fromEntries(Object.entries(check()).filter(([, text]) => text));
    if (Object.keys(wrong).length) return setErrors(wrong);
    setBusy(true);
    try {
      setErrors({});
      await run();
    } catch (error) {
      setErrors(place(error) ?? { all: errorText(error) });
    } finally {
      setBusy(false);
    }
  };
  return html`<form ref=${form} class="stack" onSubmit=${submit} novalidate>
    ${children}
    ${errors?.all && html`<p class="notice danger" role="alert">${errors.all}</p>`}
    <${Button} kind="primary" type="submit" wide busy=${busy}>${action}<//>
  </form>`;
}

const isTooMany = (error) => error.reason === 'too_many' || error.code === 429 || /尝试次数/.test(error.message);

function SignIn({ name, go }) {
  const password = useSignal('');
  const [errors, setErrors] = useState(null);
  return html`
    <${Form} errors=${errors} setErrors=${setErrors} action=${t('signIn')}
      check=${() => ({ name: !name.value.trim() && t('needName'), password: !password.value && t('needPassword') })}
      run=${() => signIn({ username: name.value.trim(), password: password.value })}
      place=${(error) => (isTooMany(error) ? { all: errorText({ reason: 'too_many' }) } : error.code === 404 ? { password: t('wrongLogin') } : null)}>
      <${Field} label=${t('username')} value=${name} error=${errors?.name} autocomplete="username" name="username" autocapitalize="none" spellcheck=${false} />
      <${Field} label=${t('password')} value=${password} error=${errors?.password} type="password" autocomplete="current-password" name="password" />
      <button type="button" class="link-button sign-side" onClick=${() => go('reset')}>${t('forgot')}</button>
    <//>
    <p class="sign-foot">${t('noAccount')} <button type="button" class="link-button" onClick=${() => go('up')}>${t('signUp')}</button></p>`;
}

function SignUp({ name, go }) {
  const password = useSignal('');
  const question = useSignal('');
  const answer = useSignal('');
  const [errors, setErrors] = useState(null);
  const check = () => ({
    name: !name.value.trim() ? t('needName') : (/[<>"'&\\]/.test(name.value) || [...name.value.trim()].length > 64) && t('badName'),
    password: [...password.value].length < 6 && t('shortPassword'),
    answer: question.value.trim() && !answer.value.trim() && t('needAnswer'),
  });
  const run = () =>
    signUp({ username: name.value.trim(), password: password.value, question: question.value.trim(), answer: answer.value.trim() });
  const place = (error) => (error.code === 405 ? { name: t('nameTaken') } : error.code === 403 ? { name: t('badName') } : null);
  return html`
    <${Form} errors=${errors} setErrors=${setErrors} action=${t('signUp')} check=${check} run=${run} place=${place}>
      <${Field} label=${t('username')} value=${name} error=${errors?.name} hint=${t('usernameHint')} autocomplete="username" name="username" autocapitalize="none" spellcheck=${false} />
      <${Field} label=${t('password')} value=${password} error=${errors?.password} hint=${t('passwordHint')} type="password" autocomplete="new-password" name="password" />
      <details open=${Boolean(errors?.answer)}>
        <summary>${t('questionOptional')}</summary>
        <div class="stack">
          <${Field} label=${t('question')} value=${question} hint=${t('questionHint')} autocomplete="off" />
          <${Field} label=${t('answer')} value=${answer} error=${errors?.answer} autocomplete="off" />
        </div>
      </details>
    <//>
    <p class="sign-foot">${t('haveAccount')} <button type="button" class="link-button" onClick=${() => go('in')}>${t('signIn')}</button></p>`;
}

function Reset({ name, go }) {
  const answer = useSignal('');
  const password = useSignal('');
  const [question, setQuestion] = useState('');
  const [errors, setErrors] = useState(null);
  const check = () =>
    question
      ? { answer: !answer.value.trim() && t('needAnswer'), password: [...password.value].length < 6 && t('shortPassword') }
      : { name: !name.value.trim() && t('needName') };
  const run = async () => {
    const username = name.value.trim();
    if (!question) {
      setQuestion(await securityQuestion(username));
      return setErrors(null);
    }
    await resetPassword({ username, answer: answer.value.trim(), password: password.value });
    go('in', t('resetDone'));
  };
  const place = (error) => {
    if (isTooMany(error)) return { all: errorText({ reason: 'too_many' }) };
    if (error.code === 404) return { name: t('noSuchName') };
    if (error.code === 405) return { name: t('noQuestion') };
    return error.code === 406 ? { answer: t('wrongAnswer') } : null;
  };
  return html`
    <div><h2>${t('resetTitle')}</h2>${!question && html`<p class="quiet small">${t('resetIntro')}</p>`}</div>
    <${Form} key=${question} errors=${errors} setErrors=${setErrors} action=${t(question ? 'resetSubmit' : 'next')} check=${check} run=${run} place=${place}>
      ${!question && html`<${Field} label=${t('username')} value=${name} error=${errors?.name} autocomplete="username" name="username" autocapitalize="none" spellcheck=${false} />`}
      ${question && html`
        <${Field} label=${question} value=${answer} error=${errors?.answer} autocomplete="off" />
        <${Field} label=${t('newPassword')} value=${password} error=${errors?.password} hint=${t('passwordHint')} type="password" autocomplete="new-password" />`}
    <//>
    <p class="sign-foot"><button type="button" class="link-button" onClick=${() => go('in')}>${t('back')}</button></p>`;
}
