// Copying text. The modern way is there only over https and on localhost.

export async function copyText(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'hidden-label';
  document.body.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}
