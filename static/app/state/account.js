// My account: what others see of me, the password, the security question, the sessions.

import { request } from '../connection.js';
import { me } from '../session.js';
import { meet } from './people.js';

/** Changes what is given, and leaves the rest of the profile as it is. */
export async function saveProfile(doc) {
  await request('profile', { doc });
  me.value = { ...me.peek(), ...doc };
  meet([me.peek()]);
}

/** Ends all sessions but this one. */
export const changePassword = (password) => request('profile', { doc: { password } });

export async function saveQuestion(question, answer) {
  await request('profile', { doc: { question, answer } });
  me.value = { ...me.peek(), question };
}

export const removeQuestion = () => saveQuestion(null, null);

/** @returns {Promise<{id: number, device: string, address: string, created: number, used: number, current: boolean, online: boolean}[]>} */
export const listSessions = async () => (await request('sessions', {})).sessions;
export const endSession = (id) => request('sessions.end', { id });
