// Notifications: the setting, and a gentle hint as long as one has not decided.

import { html } from '../html.js';
import { permission, turnOn, want, wanted } from '../state/notify.js';
import { Button } from '../ui/button.js';
import { Switch } from '../ui/field.js';
import { Icon } from '../ui/icon.js';
import { guard } from '../ui/toast.js';
import { t } from '../words/index.js';

export function NotificationSettings() {
  const state = permission.value;
  if (state === 'unsupported') return null;
  const on = wanted.value === 'on' && state === 'granted';
  const set = (yes) => (yes && state !== 'granted' ? guard(turnOn()) : want(yes ? 'on' : 'off'));
  return html`<section class="stack">
    <h3>${t('notifications')}</h3>
    <${Switch} label=${t('notifyOn')} checked=${on} disabled=${state === 'denied'} onChange=${set} />
    ${state === 'denied' && html`<p class="notice warn">${t('notifyDenied')}</p>`}
  </section>`;
}

export function NotifyHint() {
  if (permission.value !== 'default' || wanted.value) return null;
  return html`<div class="hint">
    <${Icon} name="bell" />
    <span>${t('notifyHint')}</span>
    <span class="hint-actions">
      <${Button} kind="primary" low onClick=${() => guard(turnOn())}>${t('notifyAllow')}<//>
      <${Button} kind="plain" low onClick=${() => want('off')}>${t('notNow')}<//>
    </span>
  </div>`;
}
