// Buttons. `busy` shows a spinner and takes no clicks.

import { html, cls } from '../html.js';
import { Icon } from './icon.js';

/** `<${Button} kind="primary" icon="plus" onClick=${…}>Text<//>`; kinds: primary, danger, plain, or none. */
export function Button({ kind, icon, busy, low, wide, type = 'button', children, ...rest }) {
  return html`<button type=${type} class=${cls('button', kind, { low, wide })} ...${rest} disabled=${busy || rest.disabled} aria-busy=${busy ? 'true' : undefined}>
    ${busy ? html`<span class="spinner" />` : icon && html`<${Icon} name=${icon} small=${low} />`}
    ${children}
  </button>`;
}

/** A button that is only an icon; `label` is its name for screen readers and its tooltip. */
export function IconButton({ icon, label, primary, class: more, ...rest }) {
  return html`<button type="button" class=${cls('icon-button', more, { primary })} aria-label=${label} title=${label} ...${rest}>
    <${Icon} name=${icon} />
  </button>`;
}
