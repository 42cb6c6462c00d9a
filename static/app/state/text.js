// The text of a message: as safe HTML, and as plain text.

import DOMPurify from 'dompurify';

const purifier = DOMPurify(window);
const RULES = {
  ALLOWED_TAGS: ['a', 'b', 'br', 'div', 'em', 'font', 'i', 'img', 'p', 's', 'span', 'strong', 'u'],
  ALLOWED_ATTR: ['style', 'href', 'title', 'src', 'alt', 'width', 'height', 'color', 'size', 'face'],
  ALLOWED_URI_REGEXP: /^(?:https?:\/\/|\/public\/files\/|kindeditor\/plugins\/emoticons\/images\/\d{1,3}\.gif$)/i,
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
  const instead = document.createElement(elsewhere ? 'a' : 'span');
  if (elsewhere) {
    instead.href = source;
    instead.target = '_blank';
    instead.rel = 'noopener noreferrer';
  }
  instead.textContent = image.alt || (elsewhere ? source : '🙂');
  image.replaceWith(instead);
}

/** @returns {string} HTML that may be put into the page */
export const safeHtml = (text) => purifier.sanitize(text, RULES);

/** HTML without its markup; block elements end lines. */
export function htmlToText(text) {
  if (!/[<&]/.test(text)) return text;
  const body = purifier.sanitize(text.replace(/<br\b[^>]*>|<\/(?:p|div)>/gi, '\n'), { ...RULES, RETURN_DOM: true });
  return body.textContent.trim();
}

export const plainText = ({ text = '', format }) => (format === 'plain' ? text : htmlToText(text));
