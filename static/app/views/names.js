// What the server takes as the name of a room or a group.

import { t } from '../words/index.js';

/** What is wrong with a name, or undefined. */
export function checkName(name) {
  if (!name) return t('needThisName');
  return /[<>"'&\\]/.test(name) || [...name].length > 64 ? t('badName') : undefined;
}
