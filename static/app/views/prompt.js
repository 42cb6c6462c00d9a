// Asking for one line of text: a note to a request, the name of a group.

import { html, useSignal } from '../html.js';
import { openDialog } from '../ui/dialog.js';
import { Field } from '../ui/field.js';
import { FormDialog, useForm } from '../ui/form.js';

function Prompt({ title, text, label, hint, value = '', action, danger, multiline, max, check, run, place, close }) {
  const written = useSignal(value);
  const form = useForm({
    check: () => ({ written: check?.(written.value.trim()) }),
    place: (error) => (place?.(error) ? { written: place(error) } : null),
    task: async () => close((await run(written.value.trim())) ?? true),
  });
  return html`<${FormDialog} title=${title} action=${action} size="narrow" danger=${danger} close=${close} form=${form}>
    ${text && html`<p class="quiet">${text}</p>`}
    <${Field} label=${label} hint=${hint} value=${written} error=${form.errors.written} multiline=${multiline} maxlength=${max} autofocus autocomplete="off" />
  <//>`;
}

/**
 * Stays open, with the error at the field, until `run(text)` succeeds; resolves with its result, or undefined if dismissed.
 * `check(text)` says what is wrong before anything is sent, `place(error)` what the server's error means here.
 */
export const prompt = (properties) => openDialog(Prompt, properties);
