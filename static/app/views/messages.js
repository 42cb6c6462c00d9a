// The scrolling list of messages. It keeps its place while older ones come in above, stays at the end while new ones
// come in below, and marks as read what can be seen.

import { html, useEffect, useLayoutEffect, useRef, useState, useSignalEffect } from '../html.js';
import { status } from '../connection.js';
import { myId } from '../session.js';
import { conversation, peekConversation } from '../state/conversations.js';
import { isRoom } from '../state/keys.js';
import { jump } from '../state/jump.js';
import { latest, markLoaded, markRead } from '../state/messages.js';
import { contentOf } from '../state/preview.js';
import { keyOf } from '../state/keys.js';
import { nameById } from '../state/people.js';
import { pendingIn } from '../state/outbox.js';
import { loadAround, loadEnd, loadNewer, loadOlder, thread } from '../state/threads.js';
import { Badge } from '../ui/badge.js';
import { Button } from '../ui/button.js';
import { Icon } from '../ui/icon.js';
import { Empty, Loading } from '../ui/list.js';
import { errorText, t } from '../words/index.js';
import { Title } from './chats.js';
import { Row, PendingRow } from './message.js';
import { arrange } from './arrange.js';
import { useFramed } from './framed.js';
import { walkMessages } from './walk.js';

const NEAR = 800;
const AT_END = 48;

export function Messages({ id: key }) {
  const { messages, loaded, start, end, loading, error, one, pending } = useFramed(() => ({
    ...thread(key).value,
    one: conversation(key),
    pending: pendingIn(key),
  }));
  const box = useRef();
  const inner = useRef();
  const stick = useRef(true);
  const anchor = useRef(null);
  const placed = useRef(false);
  const [away, setAway] = useState(false);
  const drawn = useDrawn(key);
  const divider = useDivider(key, one, pending.length);
  const online = status.value === 'online';

  // First, and after an error once there is a connection again.
  useEffect(() => {
    if (loaded || !online || loading) return;
    const wanted = jump.peek()?.key === key ? jump.peek().seq : 0;
    if (wanted) loadAround(key, wanted);
    else if (one.unread > 40) loadAround(key, one.read);
    else loadEnd(key);
  }, [key, loaded, online]);

  useEffect(() => {
    if (loaded) markLoaded(key);
  }, [key, loaded]);

  const seen = () => {
    if (stick.current && thread(key).peek().end && document.visibilityState === 'visible' && document.hasFocus()) markRead(key);
  };

  const toEnd = () => (box.current.scrollTop = box.current.scrollHeight);

  /** Remembers the first row that can be seen, to put it where it was after a change above it. */
  const remember = () => {
    const top = box.current.getBoundingClientRect().top;
    const rows = inner.current.querySelectorAll('[data-seq]');
    let low = 0;
    for (let high = rows.length; low < high; ) {
      const middle = (low + high) >> 1;
      if (rows[middle].getBoundingClientRect().bottom > top) high = middle;
      else low = middle + 1;
    }
    const row = rows[low];
    anchor.current = row ? { seq: row.dataset.seq, top: row.getBoundingClientRect().top - top, scrollTop: box.current.scrollTop } : null;
  };

  const restore = () => {
    if (stick.current) return toEnd();
    const row = anchor.current && inner.current.querySelector(`[data-seq="${anchor.current.seq}"]`);
    if (!row) return;
    // What was scrolled since then is meant so, though the event that tells of it comes later.
    const place = anchor.current.top + anchor.current.scrollTop - box.current.scrollTop;
    const moved = row.getBoundingClientRect().top - box.current.getBoundingClientRect().top - place;
    if (Math.abs(moved) > 0.5) box.current.scrollTop += moved;
  };

  const onScroll = () => {
    // The event may come when the conversation is closed already.
    if (!box.current) return;
    const { scrollTop, scrollHeight, clientHeight } = box.current;
    const below = scrollHeight - scrollTop - clientHeight;
    const now = thread(key).peek();
    stick.current = below < AT_END && now.end;
    setAway(below > clientHeight / 2 || !now.end);
    remember();
    seen();
    if (scrollTop < NEAR) loadOlder(key);
    if (below < NEAR) loadNewer(key);
  };

  // Before the eye sees the change.
  useLayoutEffect(() => {
    if (!loaded) return;
    if (!placed.current) {
      placed.current = true;
      if (!place()) toEnd();
      onScroll();
      return;
    }
    restore();
    remember();
    seen();
  }, [messages, pending.length, loaded, divider]);

  /** At the beginning: to the message that was asked for, or to the first unread one. */
  function place() {
    const wanted = jump.peek();
    if (wanted?.key === key) return goTo(wanted.seq);
    const line = inner.current.querySelector('.divider');
    if (!line) return false;
    stick.current = false;
    line.scrollIntoView({ block: 'start' });
    return true;
  }

  function goTo(seq) {
    const row = inner.current?.querySelector(`[data-seq="${seq}"]`);
    if (!row) return false;
    jump.value = null;
    stick.current = false;
    row.scrollIntoView({ block: 'center' });
    row.classList.remove('flash');
    requestAnimationFrame(() => row.classList.add('flash'));
    remember();
    return true;
  }

  useSignalEffect(() => {
    const wanted = jump.value;
    const { loaded: ready, loading: busy } = thread(key).value;
    if (wanted?.key !== key || !ready || busy) return;
    // The rows of a new window are drawn a little later.
    requestAnimationFrame(() => {
      if (goTo(wanted.seq) || jump.peek() !== wanted) return;
      if (wanted.asked) return void (jump.value = null);
      wanted.asked = true;
      loadAround(key, wanted.seq);
    });
  });

  // Pictures that load, the composer that grows, the keyboard of a phone.
  useEffect(() => {
    const observer = new ResizeObserver(() => {
      if (!box.current || !placed.current) return;
      restore();
      remember();
    });
    observer.observe(box.current);
    observer.observe(inner.current);
    addEventListener('focus', seen);
    document.addEventListener('visibilitychange', seen);
    return () => {
      observer.disconnect();
      removeEventListener('focus', seen);
      document.removeEventListener('visibilitychange', seen);
    };
  }, [key]);

  const jumpToEnd = async () => {
    stick.current = true;
    if (!thread(key).peek().end) await loadEnd(key);
    if (box.current) toEnd();
  };

  // Who says something wants to see it, wherever they were reading.
  const wasPending = useRef(pending.length);
  useEffect(() => {
    if (pending.length > wasPending.current && loaded) jumpToEnd();
    wasPending.current = pending.length;
  }, [pending.length]);

  const rows = arrange(messages, { divider, room: isRoom(key), me: myId(), peerRead: one.peerRead });
  const empty = loaded && !messages.length && !pending.length;
  return html`<div class="messages-frame">
    <div class="messages" ref=${box} onScroll=${onScroll} tabindex="0" role="log" aria-live="off" aria-label=${t('messages')} onKeyDown=${walkMessages}>
      <div class="messages-inner" ref=${inner}>
        ${error && html`<p class="notice danger">${errorText(error)} <${Button} low onClick=${() => (messages.length ? loadOlder(key) : loadEnd(key))}>${t('retry')}<//></p>`}
        ${!loaded && !error && html`<${Loading} />`}
        ${empty && html`<${Empty} icon="chats" title=${isRoom(key) ? html`<${Title} of=${one} />` : html`<${Hello} one=${one} />`} text=${t(isRoom(key) ? 'noMessagesRoom' : 'noMessagesText')} />`}
        ${loaded && start && messages.length > 0 && html`<p class="beginning">${t('beginning')}</p>`}
        ${rows.map(drawn)}
        ${(end || !loaded) && pending.map((row) => html`<${PendingRow} key=${row.cid} pending=${row} />`)}
        ${loading === 'newer' && html`<${Loading} />`}
      </div>
    </div>
    ${loading === 'older' && html`<div class="loading-older"><${Loading} /></div>`}
    ${away && loaded && html`<button type="button" class="to-end" onClick=${jumpToEnd} aria-label=${t('toBottom', one.unread)} title=${t('toBottom', one.unread)}>
      <${Icon} name="arrowDown" /><${Badge} count=${one.unread} />
    </button>`}
    <${Announcer} id=${key} />
  </div>`;
}

const Hello = ({ one }) => t('noMessagesTitle', Title({ of: one }));

/** The same element again for a row that has not changed: then nothing below it is looked at. */
function useDrawn(key) {
  const known = useRef(new Map());
  return (row) => {
    const old = known.current.get(row.id);
    if (old && Object.keys(row).every((name) => row[name] === old.row[name])) return old.element;
    const element = html`<${Row} key=${row.id} ...${row} conversation=${key} />`;
    known.current.set(row.id, { row, element });
    return element;
  };
}

/** The number after which "New messages" stands. It stays while one reads, and goes when one answers. */
function useDivider(key, one, pendingCount) {
  const [after, setAfter] = useState(one.unread ? one.read : null);
  const unread = useRef(one.unread);
  useEffect(() => {
    const looking = document.hasFocus() && document.visibilityState === 'visible';
    if (!unread.current && one.unread && !looking) setAfter(peekConversation(key)?.read ?? null);
    unread.current = one.unread;
  }, [one.unread]);
  useEffect(() => {
    if (pendingCount) setAfter(null);
  }, [pendingCount]);
  return after;
}

/** Reads new messages out, and only those: not what scrolling brings in. */
function Announcer({ id: key }) {
  const message = latest.value;
  const text = message && keyOf(message) === key ? t('says', nameById(message.from), contentOf(message)) : '';
  return html`<p class="hidden-label" aria-live="polite">${text}</p>`;
}
