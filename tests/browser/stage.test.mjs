// The tests of the page would be worth nothing if they did not notice trouble: it is noticed.

import assert from 'node:assert/strict';
import { stage } from './stage.mjs';
import { eventually } from './wait.mjs';

const { scene } = stage();

const TROUBLES = {
  'an uncaught error': [() => void setTimeout(() => { throw new Error('oops'); }), /uncaught: Error: oops/],
  'a rejection': [() => void Promise.reject(new Error('oops')), /uncaught: Error: oops/],
  'an error in the console': [() => console.error('oops'), /error: oops/],
  'an inline script': [() => document.body.append(Object.assign(document.createElement('script'), { textContent: '1' })), /policy violation: script-src-elem inline/],
  'a picture from elsewhere': [() => void (new Image().src = 'http://127.0.0.2/x.png'), /policy violation: img-src http:\/\/127\.0\.0\.2/],
  'a missing file': [() => void fetch('/app/none.js'), /404/],
  'an alert': [() => alert('oops'), /alert dialog: oops/],
};

for (const [name, [cause, pattern]] of Object.entries(TROUBLES)) {
  scene(`${name} is noticed`, async (play) => {
    const visitor = await play.visitor();
    await visitor.page.evaluate(cause);
    await eventually('the problem', () => play.problems, (problems) => problems.some((one) => pattern.test(one)));
    await assert.rejects(play.assertNothingWrong(), /the page had errors/);
    play.problems.length = 0;
  });
}

scene('a script that runs is noticed, in frames too', async (play) => {
  const visitor = await play.visitor();
  await visitor.page.evaluate(() => {
    const frame = document.createElement('iframe');
    document.body.append(frame);
    frame.contentWindow.__pwned = 1;
  });
  await assert.rejects(visitor.assertUnharmed(), /a script ran in about:blank/);
  await visitor.page.evaluate(() => document.querySelector('iframe').remove());
});
