// A picture of each view, for people to look at: `screenshots/`. The test is that every view can be reached in each
// look, without an error and without anything that scrolls sideways.

import assert from 'node:assert/strict';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { stage } from './stage.mjs';
import { walk } from './views.mjs';

const { scene } = stage();
const PLACE = join(import.meta.dirname, 'screenshots');

const LOOKS = {
  wide: {},
  'wide-dark': { dark: true },
  phone: { phone: true },
  'wide-zh': { language: 'zh' },
  'phone-zh-dark': { phone: true, dark: true, language: 'zh' },
};

for (const [name, look] of Object.entries(LOOKS)) {
  scene(`every view, ${name}`, async (play) => {
    const folder = join(PLACE, name);
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    await walk(play, {
      ...look,
      seen: async (view, { page }) => {
        await page.screenshot({ path: join(folder, `${view}.png`), animations: 'disabled' });
        const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(beyond <= 0, `${view} is ${beyond} px too wide`);
      },
    });
  });
}
