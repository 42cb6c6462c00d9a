// One conversation: its head, the messages, what is being sent, and the composer.

import { html, cls, useEffect, useRef, useState } from '../html.js';
import { closeConversation } from '../route.js';
import { status } from '../connection.js';
import { conversation, mute, refreshOne } from '../state/conversations.js';
import { idOf, isRoom } from '../state/keys.js';
import { nameById, person } from '../state/people.js';
import { htmlToText } from '../state/text.js';
import { typists } from '../state/typing.js';
import { sendFiles } from '../state/uploads.js';
import { IconButton } from '../ui/button.js';
import { Icon } from '../ui/icon.js';
import { Empty, Loading } from '../ui/list.js';
import { openMenu } from '../ui/menu.js';
import { guard } from '../ui/toast.js';
import { presenceWord, t } from '../words/index.js';
import { Face, Title } from './chats.js';
import { Composer } from './composer.js';
import { finding } from './finding.js';
import { Messages } from './messages.js';
import { showDetailsOf } from './person.js';
import { FindHere } from './search.js';

export function Conversation({ id: key }) {
  const one = conversation(key);
  const [gone, setGone] = useState(false);
  const online = status.value === 'online';
  useEffect(() => {
    if (one || !online) return;
    refreshOne(key).then((found) => setGone(!found), (error) => setGone(error.code === 403 || error.code === 404));
  }, [key, Boolean(one), online]);

  if (!one) {
    return html`<header class="head"><${Back} /></header>
      ${gone ? html`<${Empty} icon="chats" title=${t('gone')} />` : html`<${Loading} />`}`;
  }
  return html`<${DropZone} id=${key}>
    <${Head} one=${one} />
    ${finding.value === key && html`<${FindHere} id=${key} close=${() => (finding.value = null)} />`}
    <${Messages} key=${key} id=${key} />
    <${Composer} key=${key} id=${key} />
  <//>`;
}

const Back = () => html`<${IconButton} icon="back" label=${t('back')} class="only-phone" onClick=${closeConversation} />`;

function Head({ one }) {
  const { key } = one;
  const openMore = (event) =>
    openMenu(event.currentTarget, [
      { label: t('details'), icon: 'info', run: () => showDetailsOf(key) },
      { label: t('searchHere'), icon: 'search', run: () => (finding.value = key) },
      { label: t(one.mute ? 'unmute' : 'mute'), icon: one.mute ? 'bell' : 'muted', run: () => guard(mute(key, !one.mute)) },
    ]);
  return html`<header class="head">
    <${Back} />
    <button type="button" class="head-who" onClick=${() => showDetailsOf(key)} title=${t('details')}>
      <${Face} of=${one} size=${40} />
      <span class="grow">
        <h2><span class="cut"><${Title} of=${one} /></span>${one.mute && html`<${Icon} name="muted" small label=${t('muted')} />`}</h2>
        <span class="head-line cut" aria-live="polite"><${Line} one=${one} /></span>
      </span>
    </button>
    <${IconButton} icon="search" label=${t('searchHere')} aria-pressed=${String(finding.value === key)} onClick=${() => (finding.value = finding.value === key ? null : key)} />
    <${IconButton} icon="more" label=${t('more')} aria-haspopup="menu" onClick=${openMore} />
  </header>`;
}

/** Below the name: who is writing, else the presence of a person or what a room is about. */
function Line({ one: { key, info } }) {
  const who = typists(key);
  if (who.length) {
    const text = !isRoom(key) ? t('typing') : who.length === 1 ? t('typingOne', nameById(who[0])) : t('typingMany', who.slice(0, 3).map(nameById).join(', '));
    return html`<span class="typing">${text}</span>`;
  }
  return isRoom(key) ? htmlToText(info?.intro ?? '') || `${t('room')} ${idOf(key)}` : presenceWord(person(idOf(key)).value?.presence);
}

/** Files that are dropped anywhere in the conversation are sent. */
function DropZone({ id: key, children }) {
  const [over, setOver] = useState(false);
  const depth = useRef(0);
  const hasFiles = (event) => event.dataTransfer?.types.includes('Files');
  // Each element inside sends its own enter and leave.
  const move = (step) => (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth.current += step;
    setOver(depth.current > 0);
  };
  const drop = (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth.current = 0;
    setOver(false);
    sendFiles(key, event.dataTransfer.files);
  };
  return html`<section class=${cls('conversation', { over })} onDragEnter=${move(1)} onDragLeave=${move(-1)}
    onDragOver=${(event) => hasFiles(event) && event.preventDefault()} onDrop=${drop}>
    ${children}
    ${over && html`<div class="drop"><p><${Icon} name="attach" />${t('dropHere')}</p></div>`}
  </section>`;
}
