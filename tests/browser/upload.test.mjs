// Files: choosing, pasting, dropping; progress, cancelling; the viewer; what is downloaded; and files that are traps.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { picture } from './files.mjs';
import { stage } from './stage.mjs';
import { eventually } from './wait.mjs';

const { scene } = stage();
const PWN = 'window.__pwned=1;top.__pwned=1';

async function attach(actor, ...files) {
  const [chooser] = await Promise.all([actor.page.waitForEvent('filechooser'), actor.button('Attach files').click()]);
  await chooser.setFiles(files);
}

const png = (name, ...shape) => ({ name, mimeType: 'image/png', buffer: picture(...shape) });

async function two(play) {
  const bob = await play.person('bob');
  const alee = await play.person('alee', { path: `/#/u/${bob.id}` });
  await bob.goTo(`#/u/${alee.id}`);
  await alee.composer.waitFor();
  await bob.composer.waitFor();
  return { alee, bob };
}

const shown = (actor, name) => actor.log.getByRole('button', { name: `Picture ${name}` });

scene('pictures are sent, and looked at with the keyboard', async (play) => {
  const { alee, bob } = await two(play);
  await attach(alee, png('one.png', 640, 480));
  await shown(bob, 'one.png').waitFor();
  await attach(alee, png('two.png', 200, 600, { hue: 90 }));
  for (const actor of [alee, bob]) {
    await shown(actor, 'one.png').waitFor();
    await shown(actor, 'two.png').waitFor();
  }
  await bob.row(alee.username).getByText('Picture').waitFor();
  await shown(bob, 'one.png').click();
  const viewer = bob.page.getByRole('dialog', { name: 'Picture' });
  const loaded = (name, width) =>
    eventually(`${name} in full`, () => viewer.getByRole('img', { name: `Picture ${name}` }).evaluateAll(([image]) => image?.naturalWidth), (seen) => seen === width);
  await loaded('one.png', 640);
  await bob.page.keyboard.press('ArrowRight');
  await loaded('two.png', 200);
  await bob.page.keyboard.press('ArrowLeft');
  await loaded('one.png', 640);
  const [download] = await Promise.all([bob.page.waitForEvent('download'), viewer.getByRole('link', { name: 'Download' }).click()]);
  assert.equal(download.suggestedFilename(), 'one.png');
  await bob.page.keyboard.press('Escape');
  await viewer.waitFor({ state: 'detached' });
  assert.ok(await shown(bob, 'one.png').evaluate((button) => button === document.activeElement), 'the focus is back at the picture');
});

scene('a large file shows its progress, and can be given up', async (play) => {
  const { alee, bob } = await two(play);
  const network = await alee.context.newCDPSession(alee.page);
  await network.send('Network.enable');
  await network.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 400_000 });
  await attach(alee, { name: 'large.bin', mimeType: 'application/octet-stream', buffer: Buffer.alloc(3_000_000, 7) });
  const bar = alee.log.getByRole('progressbar');
  await bar.waitFor();
  const half = await eventually('it moves', () => bar.getAttribute('value'), (value) => value > 0.05);
  assert.ok(half < 1);
  await eventually('it goes on', () => bar.getAttribute('value'), (value) => Number(value) > Number(half));
  await alee.log.getByRole('button', { name: 'Cancel' }).click();
  await alee.message('large.bin').waitFor({ state: 'detached' });
  await bar.waitFor({ state: 'detached' });
  await network.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });

  await attach(alee, { name: 'second.bin', mimeType: 'application/octet-stream', buffer: Buffer.alloc(30_000, 7) });
  await bob.sees('second.bin');
  assert.equal(await bob.message('large.bin').count(), 0);
  await alee.reload();
  await alee.sees('second.bin');
  assert.equal(await alee.message('large.bin').count(), 0);
});

scene('a picture is pasted, a file is dropped', async (play) => {
  const { alee, bob } = await two(play);
  const bytes = [...picture(120, 80)];
  await alee.composer.evaluate((field, data) => {
    const files = new DataTransfer();
    files.items.add(new File([new Uint8Array(data)], 'pasted.png', { type: 'image/png' }));
    field.dispatchEvent(new ClipboardEvent('paste', { clipboardData: files, bubbles: true, cancelable: true }));
  }, bytes);
  await shown(bob, 'pasted.png').waitFor();

  const drag = (type) =>
    alee.log.evaluate((log, kind) => {
      const files = new DataTransfer();
      files.items.add(new File(['dropped text'], 'dropped notes.txt', { type: 'text/plain' }));
      log.dispatchEvent(new DragEvent(kind, { dataTransfer: files, bubbles: true, cancelable: true }));
    }, type);
  await drag('dragenter');
  await alee.main.getByText('Drop files to send them').waitFor();
  await drag('drop');
  await alee.main.getByText('Drop files to send them').waitFor({ state: 'detached' });
  await bob.sees('dropped notes.txt');
});

scene('a file is downloaded under its own name, Chinese too, with its own bytes', async (play) => {
  const { alee, bob } = await two(play);
  const buffer = Buffer.from([...Array(5_000).keys()].map((n) => n & 0xff));
  const name = '报告 final (2).bin';
  await attach(alee, { name, mimeType: 'application/octet-stream', buffer });
  await bob.sees(name);
  const [download] = await Promise.all([bob.page.waitForEvent('download'), bob.log.getByRole('link', { name: `Download ${name}` }).click()]);
  assert.equal(download.suggestedFilename(), name);
  assert.deepEqual(await readFile(await download.path()), buffer);
});

scene('what the server does not take is told of, and can be discarded', async (play) => {
  play.allow(/status of 413/);
  const { alee, bob } = await two(play);
  await attach(alee, { name: 'huge.bin', mimeType: 'application/octet-stream', buffer: Buffer.alloc(21 * 1024 * 1024) });
  const failure = alee.log.getByRole('alert');
  await failure.getByText('The file is too large.').waitFor();
  await failure.getByRole('button', { name: 'Discard' }).click();
  await failure.waitFor({ state: 'detached' });
  await alee.say('sorry');
  await bob.sees('sorry');
  assert.equal(await bob.message('huge.bin').count(), 0);
});

scene('files that are traps run nothing, in the page and opened by their address', async (play) => {
  // The policy of a file forbids all scripts, and the browser notes that.
  play.allow(/Blocked script execution|policy|Content Security Policy/i);
  const { alee, bob } = await two(play);
  const traps = [
    { name: 'page.html', mimeType: 'text/html', text: `<!doctype html><script>${PWN}</script><body onload="${PWN}">trap` },
    { name: 'page.xhtml', mimeType: 'application/xhtml+xml', text: `<html xmlns="http://www.w3.org/1999/xhtml"><script>${PWN}</script></html>` },
    { name: 'drawing.svg', mimeType: 'image/svg+xml', text: `<svg xmlns="http://www.w3.org/2000/svg" onload="${PWN}"><script>${PWN}</script></svg>` },
    { name: 'picture.png', mimeType: 'image/png', text: `<!doctype html><script>${PWN}</script>` },
    { name: 'notes.txt', mimeType: 'text/html', text: `<!doctype html><script>${PWN}</script>` },
    { name: 'a.html.', mimeType: '', text: `<!doctype html><script>${PWN}</script>` },
    { name: `x" onerror="${PWN}" y="<img src=x onerror=${PWN}>.txt`.replaceAll('/', ''), mimeType: 'text/plain', text: 'a name' },
  ];
  for (const { name, mimeType, text } of traps) {
    const before = await bob.log.getByRole('link', { name: /^Download/ }).or(bob.log.getByRole('button', { name: /^Picture/ })).count();
    await attach(alee, { name, mimeType, buffer: Buffer.from(text) });
    await eventually(`${name} has come`, () => bob.log.getByRole('link', { name: /^Download/ }).or(bob.log.getByRole('button', { name: /^Picture/ })).count(), (count) => count > before);
  }
  const addresses = await bob.log.getByRole('link', { name: /^Download/ }).evaluateAll((links) => links.map((link) => link.href));
  assert.ok(addresses.length >= traps.length - 1, `${addresses.length} files`);
  for (const address of addresses) {
    const tab = await bob.context.newPage();
    // What is handed out as an attachment is a download, and the tab stays empty.
    const how = await Promise.race([
      tab.waitForEvent('download').then((download) => download.cancel().then(() => 'downloaded')),
      tab.goto(address, { waitUntil: 'load' }).then(() => 'shown', () => 'downloaded'),
    ]);
    if (how === 'shown') assert.equal(await tab.evaluate(() => window.__pwned), undefined, address);
    const reply = await bob.page.request.get(address);
    const { 'content-type': type, 'content-disposition': disposition = '', 'x-content-type-options': sniff } = reply.headers();
    assert.equal(sniff, 'nosniff', address);
    assert.ok(/^attachment/.test(disposition) || /^(image\/(png|jpeg|gif|webp)|text\/plain|audio|video)/.test(type), `${address}: ${type} ${disposition}`);
    await tab.close();
  }
});
