// The first module. It needs no package, so it can tell when the packages are not installed.

try {
  await import('/app/main.js');
} catch (error) {
  console.error(error);
  const trouble = document.getElementById('trouble');
  trouble.hidden = false;
  const installed = (await fetch('/npm/preact/dist/preact.mjs', { method: 'HEAD' }).catch(() => null))?.ok;
  trouble.textContent = installed
    ? 'The page could not start. Reload it, please. 页面无法启动，请重新加载。'
    : 'The server runs, but the packages of this page are not installed: run "npm ci" in static/, then build again.';
}
