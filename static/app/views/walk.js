// Arrow keys walk from message to message; Enter opens the menu of one.

export function walkMessages(event) {
  const rows = [...event.currentTarget.querySelectorAll('.message')];
  const here = rows.findIndex((row) => row.contains(document.activeElement));
  if (event.target.closest('a, button, input') && event.key === 'Enter') return;
  if (event.key === 'Enter' && here >= 0) {
    event.preventDefault();
    rows[here].querySelector('.message-more')?.click();
    return;
  }
  const target = {
    ArrowUp: rows.at(here < 0 ? -1 : Math.max(0, here - 1)),
    ArrowDown: rows[here + 1],
    Home: rows[0],
    End: rows.at(-1),
  }[event.key];
  if (!target || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  target.focus({ preventScroll: true });
  target.scrollIntoView({ block: 'nearest' });
}
