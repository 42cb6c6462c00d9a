// The panel at the right: members of a room, a person's card, or another view that somebody opens there.

import { html, signal, useEffect, useRef } from '../html.js';
import { IconButton } from '../ui/button.js';
import { t } from '../words/index.js';

/** `{title, component, properties}` or null. */
export const details = signal(null);

/** Shows a component in the panel. */
export function openDetails(title, component, properties = {}) {
  details.value = { title, component, properties };
}

export function closeDetails() {
  details.value = null;
}

export function Details() {
  const { title, component: View, properties } = details.value;
  const panel = useRef();
  // The focus goes into the panel, and back to where it was opened.
  useEffect(() => {
    const before = document.activeElement;
    panel.current.focus();
    return () => before?.isConnected && before.focus();
  }, []);
  const onKeyDown = (event) => event.key === 'Escape' && closeDetails();
  return html`<aside ref=${panel} class="details" tabindex="-1" aria-label=${title} onKeyDown=${onKeyDown}>
    <header class="details-head">
      <h2 class="cut">${title}</h2>
      <${IconButton} icon="close" label=${t('close')} onClick=${closeDetails} />
    </header>
    <div class="details-body"><${View} ...${properties} /></div>
  </aside>`;
}
