// Where I am signed in.

import { html, useEffect, useState } from '../../html.js';
import { signOut } from '../../session.js';
import { endSession, listSessions } from '../../state/account.js';
import { Button } from '../../ui/button.js';
import { closeDialogs, confirm } from '../../ui/dialog.js';
import { Icon } from '../../ui/icon.js';
import { Loading } from '../../ui/list.js';
import { guard } from '../../ui/toast.js';
import { errorText, t } from '../../words/index.js';
import { fullTime, shortTime } from '../../words/time.js';

export function Devices() {
  const [sessions, setSessions] = useState(null);
  const [error, setError] = useState(null);
  const load = () => {
    setError(null);
    return listSessions().then(setSessions, setError);
  };
  useEffect(() => void load(), []);

  const end = (id) => guard(endSession(id).then(load));
  const askEverywhere = async () => {
    const sure = await confirm({ title: t('everywhereTitle'), text: t('everywhereText'), action: t('everywhere'), danger: true });
    if (sure) await guard(signOut({ everywhere: true }).then(closeDialogs));
  };

  if (error) {
    return html`<div class="stack"><p class="notice danger" role="alert">${errorText(error)}</p>
      <div><${Button} icon="retry" onClick=${load}>${t('retry')}<//></div></div>`;
  }
  if (!sessions) return html`<${Loading} />`;
  return html`<div class="stack">
    <p class="field-hint">${t('devicesText')}</p>
    <ul class="rows">${sessions.map((one) => html`<${Session} key=${one.id} one=${one} end=${end} />`)}</ul>
    <div><${Button} kind="danger" icon="signOut" onClick=${askEverywhere}>${t('everywhere')}<//></div>
  </div>`;
}

function Session({ one: { id, device, address, used, current, online }, end }) {
  const [busy, setBusy] = useState(false);
  const onClick = async () => {
    setBusy(true);
    await end(id);
    setBusy(false);
  };
  return html`<li class="row-item">
    <span class="row-icon"><${Icon} name="device" /></span>
    <span class="grow">
      <span class="item-line"><strong class="cut">${device || t('unknownDevice')}</strong></span>
      <span class="item-last cut" title=${fullTime(used)}>${address} · ${online ? t('isOnline') : t('lastUsed', shortTime(used))}</span>
    </span>
    ${current ? html`<span class="tag">${t('thisOne')}</span>` : html`<${Button} low busy=${busy} onClick=${onClick}>${t('endSession')}<//>`}
  </li>`;
}
