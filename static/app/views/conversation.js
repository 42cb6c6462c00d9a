// One conversation.
import { html } from '../html.js';
export const Conversation = ({ id }) => html`<p>${id}</p>`;
