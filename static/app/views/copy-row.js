// A short text that one passes on, with a button that copies it.

import { html } from '../html.js';
import { IconButton } from '../ui/button.js';
import { copyText } from '../ui/clipboard.js';
import { guard, toast } from '../ui/toast.js';
import { t } from '../words/index.js';

export function CopyRow({ label, text, shown = text }) {
  const copy = () => guard(copyText(String(text)).then(() => toast(t('copied'))));
  return html`<div class="copy-row">
    <span class="grow"><small>${label}</small><span class="copy-text">${shown}</span></span>
    <${IconButton} icon="copy" label=${`${t('copyThis')}: ${label}`} onClick=${copy} />
  </div>`;
}
