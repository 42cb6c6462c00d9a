// A labelled input with a hint, or with what is wrong about it.

import { html, useEffect, useId, useRef, useState } from '../html.js';
import { Icon } from './icon.js';
import { IconButton } from './button.js';
import { t } from '../words/index.js';

/**
 * `<${Field} label="Name" value=${signal} error=${text} hint=${text} />`; other properties go to the input.
 * @param {{label: string, value: import('@preact/signals').Signal<string>, error?: string, hint?: string, multiline?: boolean}} properties
 */
export function Field({ label, value, error, hint, multiline, type = 'text', ...rest }) {
  const id = useId();
  const [shown, show] = useState(false);
  const help = error || hint;
  const common = {
    id,
    class: 'input',
    value: value.value,
    onInput: (event) => (value.value = event.currentTarget.value),
    'aria-invalid': error ? 'true' : undefined,
    'aria-describedby': help ? `${id}-help` : undefined,
    ...rest,
  };
  const secret = type === 'password';
  const input = multiline
    ? html`<textarea ...${common} />`
    : html`<input type=${secret && shown ? 'text' : type} ...${common} />`;
  return html`<div class="field">
    <label for=${id}>${label}</label>
    ${secret
      ? html`<div class="field-with">${input}<${IconButton} icon=${shown ? 'eyeOff' : 'eye'}
          label=${t(shown ? 'hidePassword' : 'showPassword')} onClick=${() => show(!shown)} /></div>`
      : input}
    ${error
      ? html`<p class="field-error" id=${`${id}-help`} role="alert"><${Icon} name="warning" small />${error}</p>`
      : hint && html`<p class="field-hint" id=${`${id}-help`}>${hint}</p>`}
  </div>`;
}

/** `<${Switch} label="…" checked=${bool} onChange=${(on) => …} />` */
export function Switch({ label, hint, checked, onChange, ...rest }) {
  return html`<label class="switch">
    <span class="grow">${label}${hint && html`<span class="field-hint"><br />${hint}</span>`}</span>
    <input type="checkbox" role="switch" checked=${checked} onChange=${(event) => onChange(event.currentTarget.checked)} ...${rest} />
  </label>`;
}

/** A field for searching; Esc empties it. With `focused` it has the focus from the beginning. */
export function SearchField({ value, label, onDown, focused, ...rest }) {
  const input = useRef();
  useEffect(() => {
    if (focused) input.current.focus();
  }, []);
  const onKeyDown = (event) => {
    if (event.key === 'Escape' && value.value) {
      event.stopPropagation();
      event.preventDefault();
      value.value = '';
    }
    if (event.key === 'ArrowDown') onDown?.(event);
  };
  return html`<label class="search-field">
    <${Icon} name="search" />
    <input ref=${input} class="input" type="search" placeholder=${label} aria-label=${label} autocomplete="off" value=${value.value}
      onInput=${(event) => (value.value = event.currentTarget.value)} onKeyDown=${onKeyDown} ...${rest} />
    ${value.value && html`<${IconButton} icon="close" label=${t('clear')} onClick=${() => (value.value = '')} />`}
  </label>`;
}
