// Streamlit follows its links inside the page, whatever key is held down. A click that asks for a tab or
// a window of its own is left to the browser. Streamlit's links to the first page have an empty path,
// which a browser takes for the page on screen.

function point(event) {
  const link = event.target.closest?.("a[data-testid='stPageLink-NavLink']");
  const path = link?.getAttribute("href");
  if (path === "" || path?.startsWith("?")) link.setAttribute("href", `./${path}`);
}

function release(event) {
  const { ctrlKey, metaKey, shiftKey } = event;
  if ((ctrlKey || metaKey || shiftKey) && event.target.closest?.("a[href]")) event.stopPropagation();
}

export default function listen() {
  if (window.goodInitLinks) return;
  window.goodInitLinks = true;
  for (const kind of ["pointerover", "pointerdown", "focusin"])
    document.addEventListener(kind, point, true);
  document.addEventListener("click", release, true);
}
