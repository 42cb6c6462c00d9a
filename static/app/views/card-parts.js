// What the cards of people and of rooms have in common.

import { html, cls } from '../html.js';
import { openConversation } from '../route.js';
import { mute } from '../state/conversations.js';
import { Icon } from '../ui/icon.js';
import { Switch } from '../ui/field.js';
import { guard } from '../ui/toast.js';
import { t } from '../words/index.js';
import { finding } from './finding.js';

/** Names and values; those without a value are left out. */
export const Facts = ({ facts }) => html`<dl class="facts">
  ${facts.filter(([, value]) => value).map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}
</dl>`;

/** A line that does something. */
export const Action = ({ icon, label, value, danger, ...rest }) => html`<button type="button" class=${cls('action', { danger })} ...${rest}>
  <${Icon} name=${icon} /><span class="grow">${label}</span>${value && html`<span class="quiet cut">${value}</span>`}
</button>`;

/** What one sets for a conversation, and looks for in it. */
export function HereSwitch({ one: { key, mute: muted } }) {
  const search = () => {
    openConversation(key);
    finding.value = key;
  };
  return html`
    <${Switch} label=${t('muteHere')} checked=${muted} onChange=${(on) => guard(mute(key, on))} />
    <${Action} icon="search" label=${t('searchHere')} onClick=${search} />`;
}
