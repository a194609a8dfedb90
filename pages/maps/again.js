// Asks for the page once more after a moment, for there is more to see. ``look`` in its data differs
// each time, so that every answer asks anew.

const IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]';
const ACTS = ["pointerup", "click", "keydown", "change"];
const CONTROLS = "button, input, [role=slider], [role=option], [role=combobox], [role=radio]";
const PATIENCE = 5000; // ms that a host may take to begin an answer

// When the viewer used a control whose answer the host has not begun, as far as one can see.
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

export default function again({ data: { after }, setTriggerValue }) {
  const due = performance.now() + 1000 * after;
  let timer = setTimeout(ask, 1000 * after);
  // Not while the server has a step of the viewer before it: it would hear what the controls were
  // before, and drop a click. The page is idle until its answer begins, too. But many acts ask the
  // server for nothing, and a map that nobody looks at is given up.
  function ask() {
    const now = performance.now();
    const isFree = now - viewer.acted > PATIENCE || now - due > PATIENCE;
    if (isFree && document.querySelector(IDLE)) setTriggerValue("again", true);
    else timer = setTimeout(ask, 100);
  }
  return () => clearTimeout(timer);
}
