// All texts of the page, in the language of the browser or the one chosen in the settings: `t('key', value)`.

import { en } from './en.js';
import { zh } from './zh.js';

const setting = localStorage.getItem('nodeim.language');
const choice = setting === 'en' || setting === 'zh' ? setting : null;
const isKnown = (tag) => (choice ? tag.startsWith(choice) : /^(zh|en)\b/i.test(tag));
const wanted = navigator.languages.find(isKnown) ?? (choice === 'zh' ? 'zh-CN' : 'en');
export const language = /^zh/i.test(wanted) ? 'zh' : 'en';
export const locale = wanted;
const words = language === 'zh' ? zh : en;
document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';

/** The text of this key; texts with parts are functions of them. */
export function t(key, ...parts) {
  const word = words[key] ?? en[key] ?? key;
  return typeof word === 'function' ? word(...parts) : word;
}

/** A presence as people read it. The server's own values are Chinese texts; others are passed on as they are. */
export function presenceWord(value) {
  return words.presence[value] ?? value ?? words.presence['离线'];
}

/** What went wrong, for people: by the server's `reason`, else by its code, else in its own words. */
export function errorText(error) {
  return words.reasons[error?.reason] ?? words.codes[error?.code] ?? error?.message ?? words.codes[500];
}
