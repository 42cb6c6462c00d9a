// A message in one line, for the list, quotes and notifications.

import { myId } from '../session.js';
import { t } from '../words/index.js';
import { nameById } from './people.js';
import { isEmpty, plainText } from './text.js';

/** What a message says, without who says it. */
export function contentOf(message) {
  const text = plainText(message);
  switch (message.type) {
    case 'image':
      return text || t('lastImage');
    case 'file':
      return text || message.file?.name || t('lastFile');
    case 'friend-request':
      return t('lastRequest');
    case 'friend-agreed':
      return t('lastAgreed');
    case 'friend-refused':
      return t('lastRefused');
    case 'invitation':
      return t('lastInvitation');
    case 'recalled':
      return message.from === myId() ? t('recalledMe') : t('recalled', nameById(message.from));
    default:
      return text.trim() ? text : t(isEmpty(message) ? 'emptyMessage' : 'lastImage');
  }
}

/** In the list, with the speaker where it is not plain: oneself, and everybody in rooms. */
export function previewOf(message) {
  if (!message) return '';
  const said = ['text', 'image', 'file'].includes(message.type);
  if (!said || (message.from !== myId() && !message.room)) return contentOf(message);
  return t('says', message.from === myId() ? t('you') : nameById(message.from), contentOf(message));
}
