// My own presence, kept for the next reload: who hides stays hidden.

import { request } from '../connection.js';
import { me } from '../session.js';

export const CHOICES = ['在线', '忙碌', '离开', '隐身'];

export async function setPresence(presence) {
  await request('presence', { presence });
  me.value = { ...me.peek(), presence };
  localStorage.setItem('nodeim.presence', presence);
}
