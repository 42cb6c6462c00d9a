// How many: nothing for none, 99+ for more than two digits can tell.

import { html, cls } from '../html.js';
import { t } from '../words/index.js';

export function Badge({ count, muted, label }) {
  if (!count) return null;
  return html`<span class=${cls('badge', { muted })} aria-label=${label ?? t('unread', count)}>${count > 99 ? '99+' : count}</span>`;
}
