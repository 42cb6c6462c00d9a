// Puts the page together and starts it.

import { html, render } from './html.js';
import { start } from './session.js';
import { App } from './views/app.js';
import './state/sound.js';

render(html`<${App} />`, document.getElementById('page'));
start();
