// Keeps rows as the viewer folded them: when a row's number arrives, the page has a new element for it.

const ROW = "details.gi-claim";
const folds = (window.goodInitFolds ??= watched());

function watched() {
  const isOpen = new Map(); // name of a row -> whether the viewer has it folded out
  let focused = null; // name of the row whose line has the focus
  addEventListener("toggle", ({ target }) => {
    if (target.matches?.(ROW)) isOpen.set(target.dataset.name, target.open);
  }, true);
  addEventListener("focusin", ({ target }) => {
    focused = target.closest?.("summary")?.parentElement.dataset.name ?? null;
  });
  addEventListener("pointerdown", () => { focused = null; }, true);
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) for (const node of addedNodes) {
      const rows = node.matches?.(ROW) ? [node] : node.querySelectorAll?.(ROW) ?? [];
      for (const row of rows) restore(row);
    }
  }).observe(document.body, { subtree: true, childList: true });
  function restore(row) {
    const { name } = row.dataset;
    if (isOpen.has(name)) row.open = isOpen.get(name);
    if (name === focused && document.activeElement === document.body) {
      row.querySelector("summary").focus({ preventScroll: true });
    }
  }
  return isOpen;
}

export default function folding() {
  return () => folds; // nothing to undo: the rows of the next page are watched too
}
