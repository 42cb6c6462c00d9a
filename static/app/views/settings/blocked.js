// Whom I have blocked.

import { html, useEffect, useState } from '../../html.js';
import { blocked, refreshBlocks } from '../../state/blocks.js';
import { nameOf, person } from '../../state/people.js';
import { Avatar } from '../../ui/avatar.js';
import { Button } from '../../ui/button.js';
import { Empty, Loading } from '../../ui/list.js';
import { errorText, t } from '../../words/index.js';
import { unblock } from '../person-actions.js';

export function Blocked() {
  const [error, setError] = useState(null);
  useEffect(() => {
    if (!blocked.value) refreshBlocks().catch(setError);
  }, []);
  if (error && !blocked.value) return html`<p class="notice danger" role="alert">${errorText(error)}</p>`;
  if (!blocked.value) return html`<${Loading} />`;
  if (!blocked.value.length) return html`<${Empty} icon="block" title=${t('nobodyBlocked')} text=${t('blockText')} />`;
  return html`<ul class="rows">${blocked.value.map((id) => html`<${Row} key=${id} id=${id} />`)}</ul>`;
}

function Row({ id }) {
  const user = person(id).value;
  const name = nameOf(user, id);
  const [busy, setBusy] = useState(false);
  const onClick = async () => {
    setBusy(true);
    await unblock(id);
    setBusy(false);
  };
  return html`<li class="row-item">
    <${Avatar} id=${id} name=${name} picture=${user?.facePath} size=${36} />
    <strong class="grow cut">${name}</strong>
    <${Button} low busy=${busy} onClick=${onClick}>${t('unblock')}<//>
  </li>`;
}
