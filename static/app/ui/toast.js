// Short messages at the foot of the page, read out by screen readers.

import { html, signal, useEffect, useRef, cls } from '../html.js';
import { Button, IconButton } from './button.js';
import { errorText, t } from '../words/index.js';

const toasts = signal([]);
let count = 0;

/** @param {{kind?: 'danger', action?: {label: string, run: () => void}, ms?: number}} [options] */
export function toast(text, { kind, action, ms = action ? 8_000 : 4_000 } = {}) {
  const id = ++count;
  toasts.value = [...toasts.value.slice(-2), { id, text, kind, action }];
  setTimeout(() => dismiss(id), ms);
}

/** Tells of an error. `guard(promise)` does so for a promise and resolves with undefined then. */
export const toastError = (error) => {
  if (!error?.code && !error?.reason) console.error(error);
  toast(errorText(error), { kind: 'danger' });
};
export const guard = (promise) => promise.catch(toastError);

const dismiss = (id) => (toasts.value = toasts.value.filter((toast) => toast.id !== id));

/** Stands once, at the end of the page. A popover, so that it is above dialogs as well. */
export function Toasts() {
  const element = useRef();
  const shown = toasts.value;
  useEffect(() => {
    element.current.hidePopover();
    if (shown.length) element.current.showPopover();
  }, [shown]);
  return html`<div ref=${element} class="toasts" popover="manual" role="status" aria-live="polite">
    ${shown.map(
      ({ id, text, kind, action }) => html`<div key=${id} class=${cls('toast', kind)}>
        <span class="grow">${text}</span>
        ${action && html`<${Button} kind="plain" low onClick=${() => (dismiss(id), action.run())}>${action.label}<//>`}
        <${IconButton} icon="close" label=${t('close')} onClick=${() => dismiss(id)} />
      </div>`,
    )}
  </div>`;
}
