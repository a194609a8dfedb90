// Asks the server for the page once more after a moment, because more of the map is computed by then.
// The data have a ``count`` that differs each time, so that Streamlit calls this after every answer.

const IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]';
const ACTS = ["pointerup", "click", "keydown", "change"];
const CONTROLS = "button, input, [role=slider], [role=option], [role=combobox], [role=radio]";
const PATIENCE = 5000; // ms that a host may take to begin an answer

// When the viewer last used a control, if the server has not begun an answer to it yet.
const viewer = (window.goodInitViewer ??= watched());

function watched() {
  const seen = { acted: -Infinity };
  const acts = () => { seen.acted = performance.now(); };
  const act = ({ target }) => target.closest?.(CONTROLS) && acts();
  for (const kind of ACTS) addEventListener(kind, act, { capture: true, passive: true });
  addEventListener("popstate", acts);
  new MutationObserver(() => {
    if (!document.querySelector(IDLE)) seen.acted = -Infinity;
  }).observe(document.body, { subtree: true, attributeFilter: ["data-test-script-state"] });
  return seen;
}

export default function refresh({ data: { after }, setTriggerValue }) {
  const due = performance.now() + 1000 * after;
  let timer = setTimeout(ask, 1000 * after);
  // Not while the server still has to answer the viewer: the request would carry the controls' older
  // values, and a click would be lost. That the page is idle proves nothing, for it is idle until an
  // answer begins. But many acts ask the server for nothing, and the server gives up a map that no
  // browser asks for: so the wait has an end.
  function ask() {
    const now = performance.now();
    const isFree = now - viewer.acted > PATIENCE || now - due > PATIENCE;
    if (isFree && document.querySelector(IDLE)) setTriggerValue("refresh", true);
    else timer = setTimeout(ask, 100);
  }
  return () => clearTimeout(timer);
}
