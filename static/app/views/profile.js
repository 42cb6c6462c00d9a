// My profile and the settings.

import { html } from '../html.js';
import { Dialog, openDialog } from '../ui/dialog.js';
import { t } from '../words/index.js';
import { NotificationSettings } from './notify.js';

function Profile({ close }) {
  return html`<${Dialog} title=${t('myProfile')} close=${close}><p class="quiet">${t('comingSoon')}</p><//>`;
}

function Settings({ close }) {
  return html`<${Dialog} title=${t('settings')} close=${close}><${NotificationSettings} /><//>`;
}

export const openProfile = () => openDialog(Profile);
export const openSettings = () => openDialog(Settings);
