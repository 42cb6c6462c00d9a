// The panel at the right: members of a room, a person's card, or another view that somebody opens there.

import { html, signal, useEffect, useRef } from '../html.js';
import { IconButton } from '../ui/button.js';
import { t } from '../words/index.js';

/** `{title, component, properties, under}` or null; `under` is what one comes back to. */
export const details = signal(null);

/** Shows a component in the panel; with `over`, what was there before comes back by a button. */
export function openDetails(title, component, properties = {}, { over = false } = {}) {
  details.value = { title, component, properties, under: over ? details.peek() : null };
}

export function closeDetails() {
  details.value = null;
}

export function Details() {
  const panel = useRef();
  const { title, component: View, properties, under } = details.value;
  useEffect(() => {
    const before = document.activeElement;
    panel.current.focus({ preventScroll: true });
    return () => before?.isConnected && document.activeElement === document.body && before.focus();
  }, []);
  const onKeyDown = (event) => {
    if (event.key !== 'Escape' || event.defaultPrevented || event.target.closest('dialog, .menu')) return;
    if (under) details.value = under;
    else closeDetails();
  };
  return html`<aside ref=${panel} class="details" tabindex="-1" aria-label=${title} onKeyDown=${onKeyDown}>
    <header class="details-head">
      ${under && html`<${IconButton} icon="back" label=${t('back')} onClick=${() => (details.value = under)} />`}
      <h2 class="cut">${title}</h2>
      <${IconButton} icon="close" label=${t('close')} onClick=${closeDetails} />
    </header>
    <div class="details-body" key=${`${title} ${properties.id}`}><${View} ...${properties} /></div>
  </aside>`;
}
