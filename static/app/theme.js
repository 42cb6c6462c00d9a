// Runs before the first paint, so that a dark page does not begin with a white flash. See state/settings.js.

{
  const theme = localStorage.getItem('nodeim.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
}
