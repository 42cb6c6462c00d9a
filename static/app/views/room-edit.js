// Changing a room: picture, name, intro.

import { html, useSignal } from '../html.js';
import { idOf } from '../state/keys.js';
import { changeRoom } from '../state/rooms.js';
import { htmlToText } from '../state/text.js';
import { openDialog } from '../ui/dialog.js';
import { Field } from '../ui/field.js';
import { FormDialog, useForm } from '../ui/form.js';
import { t } from '../words/index.js';
import { checkName } from './names.js';
import { Picture } from './picture.js';

function RoomEditor({ one: { key, info }, close }) {
  const id = idOf(key);
  const name = useSignal(info.name);
  const intro = useSignal(htmlToText(info.intro ?? ''));
  const avatar = useSignal(info.avatar ?? '');
  const before = { name: info.name, intro: htmlToText(info.intro ?? ''), avatar: info.avatar ?? '' };
  const form = useForm({
    check: () => ({ name: checkName(name.value.trim()) }),
    task: async () => {
      const now = { name: name.value.trim(), intro: intro.value.trim(), avatar: avatar.value };
      const changes = Object.fromEntries(Object.entries(now).filter(([part, value]) => value !== before[part]));
      if (Object.keys(changes).length) await changeRoom(id, changes);
      close(true);
    },
  });
  return html`<${FormDialog} title=${t('editRoom')} action=${t('save')} close=${close} form=${form}>
    <${Picture} value=${avatar} id=${id} name=${name.value} room />
    <${Field} label=${t('roomName')} value=${name} error=${form.errors.name} maxlength="64" autocomplete="off" />
    <${Field} label=${t('roomIntro')} hint=${t('roomIntroHint')} value=${intro} multiline maxlength="400" rows="3" />
  <//>`;
}

export const openRoomEditor = (one) => openDialog(RoomEditor, { one });
