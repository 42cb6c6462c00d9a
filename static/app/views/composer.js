// Where one writes. Enter sends, Shift+Enter makes a line, or as the settings say; on phones the button sends.

import { html, useEffect, useLayoutEffect, useRef } from '../html.js';
import { myId } from '../session.js';
import { conversation, refreshSoon } from '../state/conversations.js';
import { edit } from '../state/messages.js';
import { say } from '../state/outbox.js';
import { contentOf } from '../state/preview.js';
import { isSendKey } from '../state/settings.js';
import { nameById } from '../state/people.js';
import { thread } from '../state/threads.js';
import { iType } from '../state/typing.js';
import { sendFiles } from '../state/uploads.js';
import { IconButton } from '../ui/button.js';
import { Icon } from '../ui/icon.js';
import { guard, toast } from '../ui/toast.js';
import { t } from '../words/index.js';
import { untilTime } from '../words/time.js';
import { clearDraft, composing, startEditing, stopEditing, stopReplying, write } from './composing.js';
import { openEmoji } from './emoji.js';
import { canEdit } from './message-menu.js';

const MAX_BYTES = 65_536;
const byThumb = matchMedia('(hover: none) and (pointer: coarse)');

export function Composer({ id: key }) {
  const { text, reply, editing, nudge } = composing(key).value;
  const field = useRef();
  const files = useRef();
  const obstacle = obstacleIn(conversation(key));

  useEffect(() => {
    // On a phone the keyboard would hide half of what one came to read.
    if (nudge || !byThumb.matches) field.current?.focus();
  }, [nudge, Boolean(obstacle)]);

  // Who was muted may speak again when the time is over.
  const { mutedUntil } = conversation(key);
  useEffect(() => {
    const left = mutedUntil - Date.now();
    if (!(left > 0 && left < 86_400_000)) return;
    const timer = setTimeout(() => refreshSoon(key), left + 500);
    return () => clearTimeout(timer);
  }, [mutedUntil]);

  useLayoutEffect(() => {
    const area = field.current;
    if (!area) return;
    area.style.height = 'auto';
    area.style.height = `${Math.min(area.scrollHeight, innerHeight * 0.4)}px`;
  }, [text]);

  if (obstacle) return html`<footer class="composer"><p class="obstacle"><${Icon} name="block" small />${obstacle}</p></footer>`;

  const send = () => {
    const said = text.trim();
    if (!said) return;
    if (new TextEncoder().encode(said).length > MAX_BYTES) return toast(t('tooLong'), { kind: 'danger' });
    if (editing) {
      stopEditing(key);
      if (said !== editing.text) guard(edit(key, editing.seq, said));
    } else {
      say(key, said, reply ? { seq: reply.seq, from: reply.from, text: contentOf(reply).slice(0, 200) } : undefined);
      clearDraft(key);
    }
    field.current.focus();
  };

  const editLast = () => {
    const mine = thread(key).peek().messages.findLast((message) => message.from === myId() && canEdit(message));
    if (mine) startEditing(key, mine);
    return Boolean(mine);
  };

  const onKeyDown = (event) => {
    // While an input method composes, Enter chooses a word.
    if (event.isComposing || event.keyCode === 229) return;
    if (isSendKey(event) && !byThumb.matches) {
      event.preventDefault();
      send();
    } else if (event.key === 'Escape' && (editing || reply)) {
      event.preventDefault();
      editing ? stopEditing(key) : stopReplying(key);
    } else if (event.key === 'ArrowUp' && !text && editLast()) event.preventDefault();
  };

  const onInput = (event) => {
    write(key, event.currentTarget.value);
    if (event.currentTarget.value.trim() && !editing) iType(key);
  };

  const onPaste = (event) => {
    const pasted = [...event.clipboardData.files];
    // What is copied from a document is text, and a picture of that text.
    if (!pasted.length || event.clipboardData.types.includes('text/plain')) return;
    event.preventDefault();
    sendFiles(key, pasted);
  };

  const onFiles = () => {
    sendFiles(key, files.current.files);
    files.current.value = '';
    field.current.focus();
  };

  const insert = (emoji) => {
    const area = field.current;
    area.setRangeText(emoji, area.selectionStart, area.selectionEnd, 'end');
    write(key, area.value);
  };

  return html`<footer class="composer">
    ${editing && html`<${About} icon="edit" title=${t('editing')} text=${contentOf(editing)} close=${() => stopEditing(key)} />`}
    ${reply && html`<${About} icon="reply" title=${t('replyTo', nameById(reply.from))} text=${contentOf(reply)} close=${() => stopReplying(key)} />`}
    <div class="composer-row">
      <input ref=${files} type="file" multiple hidden onChange=${onFiles} />
      ${!editing && html`<${IconButton} icon="attach" label=${t('attach')} onClick=${() => files.current.click()} />`}
      <div class="composer-field">
        <textarea ref=${field} rows="1" value=${text} placeholder=${t('compose')} aria-label=${t('compose')} dir="auto"
          enterkeyhint=${byThumb.matches ? 'enter' : 'send'} onInput=${onInput} onKeyDown=${onKeyDown} onPaste=${onPaste}></textarea>
        <${IconButton} icon="smile" label=${t('emoji')} aria-haspopup="dialog"
          onClick=${(event) => openEmoji(event.currentTarget, insert, () => field.current?.focus())} />
      </div>
      <${IconButton} icon=${editing ? 'check' : 'send'} label=${t(editing ? 'save' : 'send')} primary disabled=${!text.trim()} onClick=${send} />
    </div>
  </footer>`;
}

/** What is answered or edited, above the field. */
const About = ({ icon, title, text, close }) => html`<div class="about">
  <${Icon} name=${icon} />
  <span class="grow"><strong>${title}</strong><span class="cut">${text}</span></span>
  <${IconButton} icon="close" label=${t('cancel')} onClick=${close} />
</div>`;

function obstacleIn({ blocked, mutedUntil }) {
  if (blocked) return t('blockedThem');
  if (mutedUntil > Date.now()) return t('mutedUntil', untilTime(mutedUntil));
  return null;
}
