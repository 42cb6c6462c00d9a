// Notifications: the settings and the hint.
import { html } from '../html.js';
export const NotificationSettings = () => html``;
export const NotifyHint = () => null;
