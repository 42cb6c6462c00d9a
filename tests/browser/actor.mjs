// One person at one browser, and what they do with the page. Things are found as people and screen readers find them:
// by role and name.

import { Watched } from './watched.mjs';
import { eventually } from './wait.mjs';

export class Actor extends Watched {
  get side() {
    return this.page.getByRole('navigation');
  }

  get main() {
    return this.page.getByRole('main');
  }

  get log() {
    return this.page.getByRole('log');
  }

  get composer() {
    return this.page.getByRole('textbox', { name: 'Write a message' });
  }

  get dialog() {
    return this.page.getByRole('dialog');
  }

  get details() {
    return this.page.getByRole('complementary');
  }

  get myMenu() {
    return this.page.getByRole('button', { name: /my menu$/ });
  }

  button(name, options) {
    return this.page.getByRole('button', { name, exact: true, ...options });
  }

  field(label) {
    return this.page.getByLabel(label, { exact: true });
  }

  /** The row of a conversation in the list. */
  row(name) {
    return this.side.getByRole('link').filter({ hasText: name });
  }

  /** The rows of the conversation with this in what was said; the time and the name beside it do not count. */
  message(text) {
    return this.log.locator('[data-seq]').filter({ has: this.page.locator('.text, .file-name, .happening > span', { hasText: text }) });
  }

  async tab(name) {
    await this.page.getByRole('tab', { name }).click();
  }

  /** Opens the conversation with a person or room of the list. */
  async openChat(name) {
    await this.row(name).click();
    // The composer alone may still be that of the conversation before.
    await this.main.locator('h2', { hasText: name }).first().waitFor();
    await this.composer.waitFor();
  }

  /** Goes to a place in the page by its address, such as `#/u/2`. */
  async goTo(hash) {
    await this.page.evaluate((wanted) => (location.hash = wanted), hash);
  }

  async say(text) {
    await this.composer.fill(text);
    await this.composer.press('Enter');
  }

  async sees(text, options = {}) {
    await this.message(text).first().waitFor(options);
  }

  /** Waits until a message is stored: it has its tick. */
  async sent(text) {
    await this.message(text).getByRole('img', { name: /^(Sent|Read)$/ }).first().waitFor();
  }

  /** The texts of the messages, in order, as they are shown. */
  texts() {
    return this.log.locator('[data-seq] .text').allInnerTexts();
  }

  async choose(button, item) {
    await button.click();
    await this.menuItem(item).click();
  }

  menuItem(name) {
    return this.page.getByRole('menu').getByRole(/^(Online|Busy|Away|Invisible|在线|忙碌|离开|隐身)/.test(name) ? 'menuitemradio' : 'menuitem', { name });
  }

  /** Opens the menu of a message and chooses. */
  async messageMenu(text, item) {
    const row = this.message(text);
    await row.hover();
    await this.choose(row.getByRole('button', { name: 'Message menu' }), item);
  }

  async fillIn(values) {
    for (const [label, value] of Object.entries(values)) await this.field(label).fill(value);
  }

  title(expected) {
    return eventually('the title', () => this.page.title(), (title) => title === expected);
  }

  /** A short message at the foot of the page. */
  async toast(text) {
    await this.page.getByRole('status').getByText(text).waitFor();
  }

  reload() {
    return this.page.reload();
  }
}
