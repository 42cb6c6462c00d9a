// Times as people read them.

import { locale, t } from './index.js';

const clock = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit' });
const weekday = new Intl.DateTimeFormat(locale, { weekday: 'short' });
const short = new Intl.DateTimeFormat(locale, { month: 'short', day: 'numeric' });
const shortWithYear = new Intl.DateTimeFormat(locale, { year: 'numeric', month: 'numeric', day: 'numeric' });
const longDay = new Intl.DateTimeFormat(locale, { weekday: 'long', month: 'long', day: 'numeric' });
const longDayWithYear = new Intl.DateTimeFormat(locale, { year: 'numeric', month: 'long', day: 'numeric' });
const full = new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'short' });

/** The calendar day as a number: equal for two times of one day. */
export const dayOf = (time) => new Date(time).setHours(0, 0, 0, 0);
const daysAgo = (time) => Math.round((dayOf(Date.now()) - dayOf(time)) / 86_400_000);
const isThisYear = (time) => new Date(time).getFullYear() === new Date().getFullYear();

export const clockTime = (time) => clock.format(time);
export const fullTime = (time) => full.format(time);
/** The end of something that lasts hours or days. */
export const untilTime = (time) => (dayOf(time) === dayOf(Date.now()) ? clock : full).format(time);

/** For lists: the time today, the day this week, else the date. */
export function shortTime(time) {
  const days = daysAgo(time);
  if (days <= 0) return clock.format(time);
  if (days === 1) return t('yesterday');
  if (days < 7) return weekday.format(time);
  return (isThisYear(time) ? short : shortWithYear).format(time);
}

/** For the separators between days. */
export function dayName(time) {
  const days = daysAgo(time);
  if (days === 0) return t('today');
  if (days === 1) return t('yesterday');
  return (isThisYear(time) ? longDay : longDayWithYear).format(time);
}

export function byteSize(bytes) {
  const units = ['B', 'KB', 'MB', 'GB'];
  const step = Math.min(3, Math.floor(Math.log2(Math.max(bytes, 1)) / 10));
  return `${new Intl.NumberFormat(locale, { maximumFractionDigits: step ? 1 : 0 }).format(bytes / 1024 ** step)} ${units[step]}`;
}
