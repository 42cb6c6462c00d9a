// For the first visit: what one can do here, a sentence each.

import { html } from '../html.js';
import { me } from '../session.js';
import { nameOf } from '../state/people.js';
import { Icon } from '../ui/icon.js';
import { t } from '../words/index.js';
import { openFindPeople } from './find-people.js';
import { openProfile } from './profile.js';
import { openCreateRoom, openJoinRoom } from './room-actions.js';

const STEPS = [
  { icon: 'personAdd', title: 'findPeople', text: 'welcomePeople', run: () => openFindPeople() },
  { icon: 'plus', title: 'createRoom', text: 'welcomeRoom', run: openCreateRoom },
  { icon: 'rooms', title: 'joinRoom', text: 'welcomeJoin', run: openJoinRoom },
  { icon: 'camera', title: 'welcomeMe', text: 'welcomeMeText', run: openProfile },
];

export const Welcome = () => html`<section class="welcome">
  <h2>${t('welcome', nameOf(me.value))}</h2>
  <p class="quiet">${t('welcomeText')}</p>
  <div class="welcome-steps">
    ${STEPS.map(
      ({ icon, title, text, run }) => html`<button key=${title} type="button" class="welcome-step" onClick=${run}>
        <span class="row-icon"><${Icon} name=${icon} /></span>
        <span class="grow"><strong>${t(title)}</strong><span class="quiet small">${t(text)}</span></span>
        <${Icon} name="forward" small />
      </button>`,
    )}
  </div>
</section>`;
