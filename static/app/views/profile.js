// My profile: what others see of me.

import { html, useSignal } from '../html.js';
import { me, myId } from '../session.js';
import { saveProfile } from '../state/account.js';
import { nameOf } from '../state/people.js';
import { openDialog } from '../ui/dialog.js';
import { Field } from '../ui/field.js';
import { FormDialog, useForm } from '../ui/form.js';
import { Segments } from '../ui/segments.js';
import { toast } from '../ui/toast.js';
import { t } from '../words/index.js';
import { CopyRow } from './copy-row.js';
import { Picture } from './picture.js';

/** Attributes may hold anything that some client wrote there. */
const textOf = (value) => (typeof value === 'string' || typeof value === 'number' ? String(value) : '');

function Profile({ close }) {
  const before = Object.fromEntries(['facePath', 'nick', 'sign', 'sex'].map((name) => [name, textOf(me.peek()[name])]));
  const facePath = useSignal(before.facePath);
  const nick = useSignal(before.nick);
  const sign = useSignal(before.sign);
  const sex = useSignal(before.sex);
  const form = useForm({
    task: async () => {
      const now = { facePath: facePath.value, nick: nick.value.trim(), sign: sign.value.trim(), sex: sex.value };
      const changes = Object.fromEntries(Object.entries(now).filter(([name, value]) => value !== before[name]));
      if (Object.keys(changes).length) {
        await saveProfile(changes);
        toast(t('saved'));
      }
      close(true);
    },
  });
  const { username } = me.value ?? {};
  return html`<${FormDialog} title=${t('myProfile')} action=${t('save')} close=${close} form=${form}>
    <${Picture} value=${facePath} id=${myId()} name=${nick.value.trim() || nameOf(me.peek())} />
    <${CopyRow} label=${t('myNumber')} text=${username} shown=${t('nameAndNumber', username, myId())} />
    <${Field} label=${t('nick')} hint=${t('nickHint')} value=${nick} maxlength="64" autocomplete="nickname" />
    <${Field} label=${t('sign')} hint=${t('signHint')} value=${sign} maxlength="200" autocomplete="off" />
    <${Segments} label=${t('sex')} value=${sex} choices=${[['', t('notSaid')], ['1', t('male')], ['2', t('female')]]} />
  <//>`;
}

export const openProfile = () => openDialog(Profile);
