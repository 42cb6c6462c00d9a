// Dialogs: the browser's own, which keep the focus inside, close on Esc and give the focus back.

import { html, signal, cls, useEffect, useId, useRef } from '../html.js';
import { Button, IconButton } from './button.js';
import { t } from '../words/index.js';

const stack = signal([]);
let count = 0;

/**
 * Opens a component as a dialog. It gets `close(result)` beside `properties` and renders a `<${Dialog}>`.
 * Resolves with the result, or undefined if it was dismissed.
 */
export function openDialog(component, properties = {}) {
  return new Promise((resolve) => {
    const id = ++count;
    const close = (result) => {
      stack.value = stack.value.filter((entry) => entry.id !== id);
      resolve(result);
    };
    stack.value = [...stack.value, { id, component, properties, close }];
  });
}

export const closeDialogs = () => [...stack.peek()].reverse().forEach((entry) => entry.close());

/** Stands once, at the end of the page. */
export function Dialogs() {
  return stack.value.map(
    ({ id, component: Component, properties, close }) => html`<${Component} key=${id} ...${properties} close=${close} />`,
  );
}

/** The frame. `size`: narrow, wide or none; `foot`: its buttons. */
export function Dialog({ title, size, close, foot, children, class: more }) {
  const element = useRef();
  const id = useId();
  useEffect(() => {
    const dialog = element.current;
    const before = document.activeElement;
    dialog.showModal();
    return () => {
      dialog.close();
      before?.isConnected && before.focus();
    };
  }, []);
  // A press on the shade closes; one that began inside (selecting text) does not.
  const onDown = (event) => event.target === element.current && close();
  return html`<dialog ref=${element} class=${cls('dialog', size, more)} aria-labelledby=${id} onPointerDown=${onDown}
    onCancel=${(event) => event.target === element.current && (event.preventDefault(), close())}>
    <header class="dialog-head">
      <h2 id=${id}>${title}</h2>
      <${IconButton} icon="close" label=${t('close')} onClick=${() => close()} />
    </header>
    <div class="dialog-body">${children}</div>
    ${foot && html`<footer class="dialog-foot">${foot}</footer>`}
  </dialog>`;
}

function Confirm({ title, text, action, danger, close }) {
  const foot = html`
    <${Button} onClick=${() => close(false)}>${t('cancel')}<//>
    <${Button} kind=${danger ? 'danger' : 'primary'} onClick=${() => close(true)} autofocus>${action}<//>`;
  return html`<${Dialog} title=${title} size="narrow" close=${close} foot=${foot}><p class="quiet">${text}</p><//>`;
}

/** `if (await confirm({ title, text, action, danger: true })) …` */
export const confirm = (properties) => openDialog(Confirm, properties);
