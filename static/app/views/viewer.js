// Pictures in full size, with the others of the conversation before and after.

import { html, useEffect, useRef, useState } from '../html.js';
import { thread } from '../state/threads.js';
import { nameById } from '../state/people.js';
import { openDialog } from '../ui/dialog.js';
import { IconButton } from '../ui/button.js';
import { Icon } from '../ui/icon.js';
import { t } from '../words/index.js';
import { fullTime } from '../words/time.js';

export function openViewer(key, message) {
  const pictures = thread(key).peek().messages.filter((one) => one.type === 'image' && one.file);
  const at = pictures.findIndex((one) => one.seq === message.seq);
  return openDialog(Viewer, { pictures: at < 0 ? [message] : pictures, at: Math.max(0, at) });
}

function Viewer({ pictures, at, close }) {
  const element = useRef();
  const [here, setHere] = useState(at);
  const message = pictures[here];
  const { url, name, width, height } = message.file;
  useEffect(() => {
    const before = document.activeElement;
    element.current.showModal();
    return () => before?.isConnected && before.focus();
  }, []);
  const go = (step) => pictures[here + step] && setHere(here + step);
  const onKeyDown = (event) => {
    if (event.key === 'ArrowLeft') go(-1);
    if (event.key === 'ArrowRight') go(1);
  };
  // A press beside the picture closes.
  const onClick = (event) => event.target.matches('.viewer, .viewer-stage') && close();
  return html`<dialog ref=${element} class="viewer" aria-label=${t('viewer')} onKeyDown=${onKeyDown} onClick=${onClick}
    onCancel=${(event) => (event.preventDefault(), close())}>
    <header class="viewer-head">
      <span class="grow"><strong class="cut">${nameById(message.from)}</strong><span class="cut small">${name} · ${fullTime(message.time)}</span></span>
      <a class="icon-button" href=${url} download=${name} aria-label=${t('download')} title=${t('download')}><${Icon} name="download" /></a>
      <${IconButton} icon="close" label=${t('close')} onClick=${() => close()} />
    </header>
    <div class="viewer-stage">
      <img key=${url} src=${url} alt=${t('pictureAlt', name)} width=${width} height=${height} />
    </div>
    ${here > 0 && html`<${IconButton} icon="back" label=${t('previous')} class="viewer-previous" onClick=${() => go(-1)} />`}
    ${here < pictures.length - 1 && html`<${IconButton} icon="forward" label=${t('nextPicture')} class="viewer-next" onClick=${() => go(1)} />`}
  </dialog>`;
}
