// Tabs: arrow keys move between them.

import { html } from '../html.js';
import { Icon } from './icon.js';
import { Badge } from './badge.js';

/** @param {{tabs: {id: string, label: string, icon?: string, count?: number}[], chosen: string, choose: (id: string) => void, label: string, panel: string}} properties */
export function Tabs({ tabs, chosen, choose, label, panel }) {
  const onKeyDown = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = tabs[(tabs.findIndex((tab) => tab.id === chosen) + step + tabs.length) % tabs.length];
    choose(next.id);
    event.currentTarget.querySelector(`[data-tab="${next.id}"]`)?.focus();
  };
  return html`<div class="tabs" role="tablist" aria-label=${label} onKeyDown=${onKeyDown}>
    ${tabs.map(
      (tab) => html`<button type="button" key=${tab.id} class="tab" role="tab" data-tab=${tab.id} aria-controls=${panel}
        aria-selected=${String(tab.id === chosen)} tabindex=${tab.id === chosen ? 0 : -1} onClick=${() => choose(tab.id)}>
        ${tab.icon && html`<${Icon} name=${tab.icon} />`}<span>${tab.label}</span><${Badge} count=${tab.count} />
      </button>`,
    )}
  </div>`;
}
