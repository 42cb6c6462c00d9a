// One of a few, side by side: radio buttons that look like one control.

import { html, useId } from '../html.js';

/** `<${Segments} label="Theme" value=${signal} choices=${[['light', 'Light'], ['dark', 'Dark']]} />`; or `chosen` and `choose`. */
export function Segments({ label, value, choices, chosen = value?.value, choose = (next) => (value.value = next) }) {
  const name = useId();
  return html`<fieldset class="field segments-field">
    <legend>${label}</legend>
    <div class="segments">
      ${choices.map(
        ([id, text]) => html`<label key=${id} class="segment">
          <input type="radio" name=${name} value=${id} checked=${id === chosen} onChange=${() => choose(id)} />
          <span>${text}</span>
        </label>`,
      )}
    </div>
  </fieldset>`;
}
