// How the page looks and makes itself heard in this browser.

import { html } from '../../html.js';
import { languageChoice, sendKey, sound, theme } from '../../state/settings.js';
import { play } from '../../state/sound.js';
import { Switch } from '../../ui/field.js';
import { Segments } from '../../ui/segments.js';
import { t } from '../../words/index.js';
import { NotificationSettings } from '../notify.js';

export function General() {
  const turnSound = (on) => {
    sound.value = on ? 'on' : 'off';
    if (on) play();
  };
  const speak = (next) => {
    languageChoice.value = next;
    // The texts are chosen when the page is loaded.
    location.reload();
  };
  return html`<div class="stack">
    <div class="stack-low">
      <${NotificationSettings} />
      <${Switch} label=${t('sound')} checked=${sound.value === 'on'} onChange=${turnSound} />
    </div>
    <${Segments} label=${t('theme')} value=${theme} choices=${[['system', t('asSystem')], ['light', t('light')], ['dark', t('dark')]]} />
    <${Segments} label=${t('language')} chosen=${languageChoice.value} choose=${speak} choices=${[['system', t('asSystem')], ['en', 'English'], ['zh', '简体中文']]} />
    <${Segments} label=${t('sendKey')} value=${sendKey} choices=${[['enter', t('sendEnter')], ['ctrl', t('sendCtrl')]]} />
    <p class="field-hint"><a href="/classic.html">${t('classicPage')}</a></p>
  </div>`;
}
