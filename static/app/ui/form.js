// Forms: what is wrong stands at the field, and the first such field gets the focus.

import { html, useEffect, useId, useRef, useState } from '../html.js';
import { errorText, t } from '../words/index.js';
import { Button } from './button.js';
import { Dialog } from './dialog.js';

/**
 * Runs `task` unless `check()` finds something wrong. Both speak of errors by the name of the field; `all` stands
 * below the fields. `place(error)` may say to which field an error of the server belongs.
 */
export function useForm({ check = () => ({}), place = () => null, task }) {
  const form = useRef();
  const [errors, setErrors] = useState({});
  const [busy, setBusy] = useState(false);
  useEffect(() => form.current?.querySelector('[aria-invalid]')?.focus(), [errors]);
  const submit = async (event) => {
    event.preventDefault();
    if (busy) return;
    const wrong = Object.fromEntries(Object.entries(check()).filter(([, text]) => text));
    setErrors(wrong);
    if (Object.keys(wrong).length) return;
    setBusy(true);
    try {
      await task();
    } catch (error) {
      setErrors(place(error) ?? { all: errorText(error) });
    } finally {
      setBusy(false);
    }
  };
  return { form, errors, busy, submit };
}

export const FormError = ({ errors }) => errors.all && html`<p class="notice danger" role="alert">${errors.all}</p>`;

/** A dialog with fields, a button to be done and one to leave. */
export function FormDialog({ title, action, close, size, danger, form: { form, errors, busy, submit }, children }) {
  const id = useId();
  const foot = html`
    <${Button} onClick=${() => close()}>${t('cancel')}<//>
    <${Button} kind=${danger ? 'danger' : 'primary'} type="submit" form=${id} busy=${busy}>${action}<//>`;
  return html`<${Dialog} title=${title} size=${size} close=${close} foot=${foot}>
    <form ref=${form} id=${id} class="stack" onSubmit=${submit} novalidate>${children}<${FormError} errors=${errors} /></form>
  <//>`;
}
