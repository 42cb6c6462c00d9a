// Choosing a picture of oneself or of a room. It is uploaded at once, and the server cuts it to a square.

import { html, useEffect, useRef, useState } from '../html.js';
import { postFile } from '../state/uploads.js';
import { Avatar } from '../ui/avatar.js';
import { Button } from '../ui/button.js';
import { errorText, t } from '../words/index.js';

const TYPES = 'image/png,image/jpeg,image/gif,image/webp';

/** `value` is a signal with the address of the picture, or `''`. */
export function Picture({ value, id, name, room }) {
  const input = useRef();
  const [progress, setProgress] = useState(null);
  const [preview, setPreview] = useState(null);
  const [error, setError] = useState('');
  const sending = useRef(null);
  useEffect(() => () => sending.current?.abort(), []);
  useEffect(() => () => preview && URL.revokeObjectURL(preview), [preview]);

  const take = async () => {
    const [file] = input.current.files;
    input.current.value = '';
    if (!file) return;
    setError('');
    setPreview(URL.createObjectURL(file));
    setProgress(0);
    try {
      value.value = (await postFile(file, { purpose: 'avatar' }, setProgress, (request) => (sending.current = request))).url;
    } catch (problem) {
      if (problem.reason !== 'aborted') setError(problem.code === 400 ? t('noPicture') : errorText(problem));
    } finally {
      sending.current = null;
      setPreview(null);
      setProgress(null);
    }
  };

  return html`<div class="picture-choice">
    ${preview
      ? html`<span class=${`avatar${room ? ' room' : ''}`} style=${{ '--size': '88px' }}><img src=${preview} alt="" /></span>`
      : html`<${Avatar} id=${id} name=${name} picture=${value.value} size=${88} room=${room} />`}
    <div class="stack-low grow">
      <input ref=${input} type="file" accept=${TYPES} hidden onChange=${take} />
      <div class="row wrap">
        <${Button} icon="camera" busy=${progress !== null} onClick=${() => input.current.click()}>${t(value.value ? 'changePicture' : 'choosePicture')}<//>
        ${value.value && html`<${Button} kind="plain" onClick=${() => (value.value = '')}>${t('removePicture')}<//>`}
      </div>
      ${progress !== null
        ? html`<progress class="progress" max="1" value=${progress} aria-label=${t('uploading', t('picture'), Math.round(progress * 100))} />`
        : error
          ? html`<p class="field-error" role="alert">${error}</p>`
          : html`<p class="field-hint">${t('pictureHint')}</p>`}
    </div>
  </div>`;
}
