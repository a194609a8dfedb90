// Most clickers send Page Down and Page Up. Each becomes the arrow key that a button of the page hears.

const ARROWS = { PageDown: "ArrowRight", PageUp: "ArrowLeft" };

const forward = (event) => {
  const arrow = ARROWS[event.key];
  if (!arrow || !event.isTrusted || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault(); // the page itself need not scroll
  for (const type of ["keydown", "keyup"])
    document.body.dispatchEvent(new KeyboardEvent(type, { key: arrow, code: arrow, bubbles: true }));
};

export default () => {
  document.addEventListener("keydown", forward);
  return () => document.removeEventListener("keydown", forward);
};
