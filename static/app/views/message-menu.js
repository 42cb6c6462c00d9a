// What one can do with a message.

import { myId } from '../session.js';
import { recall } from '../state/messages.js';
import { plainText } from '../state/text.js';
import { confirm } from '../ui/dialog.js';
import { openMenu } from '../ui/menu.js';
import { copyText } from '../ui/clipboard.js';
import { guard, toast } from '../ui/toast.js';
import { t } from '../words/index.js';
import { replyTo, startEditing } from './composing.js';

const EDIT_MS = 86_400_000;
const RECALL_MS = 600_000;

/** Until when a message may be changed is the server's to say; this only keeps away what it would surely refuse. */
export const canEdit = (message) => message.from === myId() && message.type === 'text' && Date.now() - message.time < EDIT_MS;
const canRecall = (message) => message.from === myId() && Date.now() - message.time < RECALL_MS;

export function openMessageMenu(anchor, message, key, point) {
  const text = plainText(message);
  openMenu(
    anchor,
    [
      { label: t('reply'), icon: 'reply', run: () => replyTo(key, message) },
      text && { label: t('copy'), icon: 'copy', run: () => copy(text) },
      canEdit(message) && { label: t('edit'), icon: 'edit', run: () => startEditing(key, message) },
      canRecall(message) && '-',
      canRecall(message) && { label: t('recall'), icon: 'undo', danger: true, run: () => askAndRecall(key, message) },
    ],
    point,
  );
}

async function copy(text) {
  const selected = String(getSelection());
  await guard(copyText(selected && text.includes(selected) ? selected : text).then(() => toast(t('copied'))));
}

async function askAndRecall(key, { seq }) {
  const sure = await confirm({ title: t('recallTitle'), text: t('recallText'), action: t('recall'), danger: true });
  if (sure) await guard(recall(key, seq));
}
