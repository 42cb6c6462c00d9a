// Two short tones for a message that comes while one looks elsewhere.

import { peekConversation } from './conversations.js';
import { keyOf } from './keys.js';
import { latest } from './messages.js';
import { sound } from './settings.js';

const TONES = [
  [660, 0],
  [880, 0.09],
];
const QUIET_MS = 1_500;

let context;
let played = 0;

export function play() {
  context ??= new AudioContext();
  context.resume().catch(() => {});
  for (const [frequency, after] of TONES) {
    const at = context.currentTime + after;
    const tone = new OscillatorNode(context, { frequency });
    const volume = new GainNode(context, { gain: 0 });
    volume.gain.setValueAtTime(0, at);
    volume.gain.linearRampToValueAtTime(0.12, at + 0.01);
    volume.gain.exponentialRampToValueAtTime(0.001, at + 0.18);
    tone.connect(volume).connect(context.destination);
    tone.start(at);
    tone.stop(at + 0.2);
  }
}

latest.subscribe((message) => {
  if (!message || sound.peek() !== 'on' || document.hasFocus()) return;
  if (peekConversation(keyOf(message))?.mute || Date.now() - played < QUIET_MS) return;
  played = Date.now();
  play();
});
