// Making elements, and showing the HTML of messages.

import DOMPurify from '/npm/dompurify/dist/purify.es.mjs';

export const $ = (id) => document.getElementById(id);

/** `h('button', { onclick: … }, 'text')`. Strings become text nodes: a name can never be markup. */
export function h(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children.filter((child) => child || child === 0));
  return element;
}

const RULES = {
  ALLOWED_TAGS: ['a', 'b', 'br', 'div', 'em', 'font', 'i', 'img', 'p', 's', 'span', 'strong', 'u'],
  ALLOWED_ATTR: ['style', 'href', 'title', 'src', 'alt', 'width', 'height', 'color', 'size', 'face'],
  ALLOWED_URI_REGEXP: /^(?:https?:\/\/|\/public\/files\/|kindeditor\/plugins\/emoticons\/images\/\d{1,3}\.gif$)/i,
  RETURN_DOM_FRAGMENT: true,
};

DOMPurify.addHook('afterSanitizeAttributes', (node) => {
  if (node.tagName === 'A') Object.assign(node, { target: '_blank', rel: 'noopener noreferrer' });
  // Pictures from elsewhere are not loaded, and the emoticons are files of the old client.
  if (node.tagName === 'IMG' && !node.getAttribute('src')?.startsWith('/public/files/')) node.replaceWith(node.alt || '🙂');
});

/** The server has taken out what is dangerous, and a client does so again: it may talk to other servers one day. */
export const fromHtml = (html) => DOMPurify.sanitize(html, RULES);

/** What one says is HTML on this wire, so plain text is escaped. */
export const toHtml = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/\n/g, '<br>');

/** Only pictures of this server: others would tell strangers who looks at them. */
export const isOwnPicture = (address) => typeof address === 'string' && /^\/public\/files\/[^\s"'<>\\]+$/.test(address);

let timer;
export function tell(text) {
  $('news').textContent = text;
  clearTimeout(timer);
  timer = setTimeout(() => ($('news').textContent = ''), 6_000);
}

/** The reply's callback for most commands: goes on if it was done, else tells why not. */
export const done = (next = () => {}) => (reply) => (reply.code === 200 ? next(reply) : tell(`${reply.code}: ${reply.message}`));
