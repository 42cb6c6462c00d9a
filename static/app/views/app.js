// The whole page: signing in, or the shell.

import { html } from '../html.js';
import { decided, me } from '../session.js';
import { status } from '../connection.js';
import { Dialogs } from '../ui/dialog.js';
import { Toasts } from '../ui/toast.js';
import { t } from '../words/index.js';
import { Shell } from './shell.js';
import { Sign } from './sign.js';

export function App() {
  return html`
    ${!decided.value ? html`<${Starting} />` : me.value ? html`<${Shell} key=${me.value.id} />` : html`<${Sign} />`}
    <${Dialogs} />
    <${Toasts} />`;
}

/** For the moment in which a stored session is tried; says more only if it takes long. */
const Starting = () => html`<main class="sign" aria-busy="true">
  <div class="loading" role="status"><span class="spinner" />${status.value === 'offline' ? t('offlineBanner') : html`<span class="hidden-label">${t('connecting')}</span>`}</div>
</main>`;
