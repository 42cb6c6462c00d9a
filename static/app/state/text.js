// The text of a message: as safe HTML, and as plain text.

import DOMPurify from 'dompurify';
import { tokenize } from 'linkifyjs';

const purifier = DOMPurify(window);
const RULES = {
  ALLOWED_TAGS: ['a', 'b', 'br', 'div', 'em', 'font', 'i', 'img', 'p', 's', 'span', 'strong', 'u'],
  ALLOWED_ATTR: ['style', 'href', 'title', 'src', 'alt', 'width', 'height', 'color', 'size', 'face'],
  ALLOWED_URI_REGEXP: /^(?:https?:\/\/|\/public\/files\/|kindeditor\/plugins\/emoticons\/images\/\d{1,3}\.gif$)/i,
  // These hold no addresses; all others are held against the expression above.
  ADD_URI_SAFE_ATTR: ['color', 'size', 'face', 'width', 'height'],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
};

purifier.addHook('afterSanitizeAttributes', (node) => {
  if (node.tagName === 'A') {
    node.target = '_blank';
    node.rel = 'noopener noreferrer';
  }
  if (node.tagName === 'IMG') replacePicture(node);
});

/** Pictures from elsewhere would tell a stranger who reads this; old emoticons are no files of this server. */
function replacePicture(image) {
  const source = image.getAttribute('src') ?? '';
  if (source.startsWith('/public/files/')) {
    image.loading = 'lazy';
    return;
  }
  const elsewhere = /^https?:/i.test(source);
  image.replaceWith(elsewhere ? linkTo(source, image.alt || source) : image.alt || '🙂');
}

/** @returns {string} HTML that may be put into the page; addresses in it are links */
export function safeHtml(text) {
  const body = purifier.sanitize(text, { ...RULES, RETURN_DOM: true });
  const walker = document.createTreeWalker(body, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) if (!walker.currentNode.parentElement.closest('a')) texts.push(walker.currentNode);
  for (const node of texts) linkText(node);
  return body.innerHTML;
}

function linkText(node) {
  const tokens = tokenize(node.data);
  if (!tokens.some(isLink)) return;
  node.replaceWith(...tokens.map((token) => (isLink(token) ? linkTo(token.toHref('https'), token.toString()) : token.toString())));
}

/** Only web addresses: a name with an @ in a chat is rarely a mail address. */
export const isLink = (token) => token.isLink && token.t === 'url';

function linkTo(href, text) {
  const link = document.createElement('a');
  Object.assign(link, { href, target: '_blank', rel: 'noopener noreferrer', textContent: text });
  return link;
}

/** HTML without its markup; block elements end lines. */
export function htmlToText(text) {
  if (!/[<&]/.test(text)) return text;
  const body = purifier.sanitize(text.replace(/<br\b[^>]*>|<\/(?:p|div)>/gi, '\n'), { ...RULES, RETURN_DOM: true });
  return body.textContent.trim();
}

export const plainText = ({ text = '', format }) => (format === 'plain' ? text : htmlToText(text));

/** Nothing is left of it: neither words nor a picture. */
export const isEmpty = (message) =>
  !plainText(message).trim() && (message.format === 'plain' || !/<img\b/.test(safeHtml(message.text ?? '')));

/** Plain text as HTML, for the commands that take nothing else: the words of a request, a room's intro. */
export const escapeText = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
