// The password, and the question that helps when it is forgotten.

import { html, useSignal } from '../../html.js';
import { me } from '../../session.js';
import { changePassword, removeQuestion, saveQuestion } from '../../state/account.js';
import { Button } from '../../ui/button.js';
import { confirm } from '../../ui/dialog.js';
import { Field } from '../../ui/field.js';
import { FormError, useForm } from '../../ui/form.js';
import { guard, toast } from '../../ui/toast.js';
import { t } from '../../words/index.js';

export const Account = () => html`<div class="stack"><${Password} /><${Question} /></div>`;

function Password() {
  const password = useSignal('');
  const again = useSignal('');
  const { form, errors, busy, submit } = useForm({
    check: () => ({
      password: [...password.value].length < 6 && t('shortPassword'),
      again: again.value !== password.value && t('notTheSame'),
    }),
    task: async () => {
      await changePassword(password.value);
      password.value = again.value = '';
      toast(t('passwordChanged'));
    },
  });
  return html`<form ref=${form} class="part stack" onSubmit=${submit} novalidate>
    <div><h3>${t('changePassword')}</h3><p class="field-hint">${t('changePasswordText')}</p></div>
    <input class="hidden-label" type="text" name="username" autocomplete="username" value=${me.value?.username} readonly tabindex="-1" aria-hidden="true" />
    <${Field} label=${t('newPassword')} hint=${t('passwordHint')} value=${password} error=${errors.password} type="password" autocomplete="new-password" />
    <${Field} label=${t('passwordAgain')} value=${again} error=${errors.again} type="password" autocomplete="new-password" />
    <${FormError} errors=${errors} />
    <div><${Button} type="submit" kind="primary" busy=${busy}>${t('changePassword')}<//></div>
  </form>`;
}

function Question() {
  const question = useSignal(me.peek()?.question ?? '');
  const answer = useSignal('');
  const isSet = Boolean(me.value?.question);
  const { form, errors, busy, submit } = useForm({
    check: () => ({ question: !question.value.trim() && t('needQuestion'), answer: !answer.value.trim() && t('needAnswer') }),
    task: async () => {
      await saveQuestion(question.value.trim(), answer.value.trim());
      answer.value = '';
      toast(t('saved'));
    },
  });
  const askToRemove = async () => {
    const sure = await confirm({ title: t('removeQuestion'), text: t('removeQuestionText'), action: t('remove'), danger: true });
    if (sure) await guard(removeQuestion().then(() => (question.value = '')));
  };
  return html`<form ref=${form} class="part stack" onSubmit=${submit} novalidate>
    <div><h3>${t('question')}</h3><p class="field-hint">${t(isSet ? 'questionIsSet' : 'questionIsNotSet')}</p></div>
    <${Field} label=${t('question')} hint=${t('questionHint')} value=${question} error=${errors.question} autocomplete="off" maxlength="200" />
    <${Field} label=${t('answer')} value=${answer} error=${errors.answer} autocomplete="off" maxlength="200" />
    <${FormError} errors=${errors} />
    <div class="row">
      <${Button} type="submit" kind="primary" busy=${busy}>${t('save')}<//>
      ${isSet && html`<${Button} kind="plain" onClick=${askToRemove}>${t('remove')}<//>`}
    </div>
  </form>`;
}
