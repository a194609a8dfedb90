// Streamlit hears no shortcut while a slider has the focus, which is where a clicker works.
// A letter that is typed there says nothing to the slider: it goes to the page instead.

const forward = (event) => {
  const letter = /^[a-z]$/i.test(event.key) && !event.ctrlKey && !event.metaKey && !event.altKey;
  if (!letter || !event.isTrusted || !event.target.matches?.('input[type="range"]')) return;
  const { key, code } = event;
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key, code, bubbles: true }));
};

export default () => {
  document.addEventListener("keydown", forward);
  return () => document.removeEventListener("keydown", forward);
};
