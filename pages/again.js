// Asks for the page once more after a moment, for there is more to see. ``look`` in its data differs
// each time, so that every answer asks anew.

const IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]';
const ACTS = ["pointerup", "click", "keydown", "change"];
const PATIENCE = 5000; // ms that a host may take to begin an answer; many acts ask it for nothing

// When the viewer did something that the host has not begun to answer, as far as one can see.
const viewer = (window.goodInitViewer ??= watched());

function watched() {
  const seen = { acted: -Infinity };
  const act = () => { seen.acted = performance.now(); };
  for (const kind of ACTS) addEventListener(kind, act, { capture: true, passive: true });
  new MutationObserver(() => {
    if (!document.querySelector(IDLE)) seen.acted = -Infinity;
  }).observe(document.body, { subtree: true, attributeFilter: ["data-test-script-state"] });
  return seen;
}

export default function again({ data: { after }, setTriggerValue }) {
  let timer = setTimeout(ask, 1000 * after);
  // Not while the server has a step of the viewer before it: it would hear what the controls were
  // before, and drop a click. The page is idle until its answer begins, too.
  function ask() {
    const isFree = performance.now() - viewer.acted > PATIENCE;
    if (isFree && document.querySelector(IDLE)) setTriggerValue("again", true);
    else timer = setTimeout(ask, 100);
  }
  return () => clearTimeout(timer);
}
