// The settings: of this browser, of the account, its sessions, and blocked people.

import { html, useId, useState } from '../../html.js';
import { Dialog, openDialog } from '../../ui/dialog.js';
import { Tabs } from '../../ui/tabs.js';
import { t } from '../../words/index.js';
import { Account } from './account.js';
import { Blocked } from './blocked.js';
import { Devices } from './devices.js';
import { General } from './general.js';

const PARTS = [
  { id: 'general', icon: 'settings', view: General },
  { id: 'account', icon: 'shield', view: Account },
  { id: 'devices', icon: 'device', view: Devices },
  { id: 'blocks', icon: 'block', view: Blocked },
];

function Settings({ close }) {
  const panel = useId();
  const [chosen, choose] = useState('general');
  const { view: View } = PARTS.find((part) => part.id === chosen);
  const tabs = PARTS.map(({ id, icon }) => ({ id, icon, label: t(id) }));
  return html`<${Dialog} title=${t('settings')} close=${close} class="settings">
    <${Tabs} tabs=${tabs} chosen=${chosen} choose=${choose} label=${t('settings')} panel=${panel} />
    <div id=${panel} class="settings-panel" role="tabpanel" aria-label=${t(chosen)}><${View} /></div>
  <//>`;
}

export const openSettings = () => openDialog(Settings);
