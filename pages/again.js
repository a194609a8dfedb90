// Asks for the page once more after a moment, for there is more to see. ``look`` in its data differs
// each time, so that every answer asks anew.

const IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]';

export default function again({ data: { after }, setTriggerValue }) {
  let timer = setTimeout(ask, 1000 * after);
  // Not while the server works on a step of the viewer: it would hear what the controls were before.
  function ask() {
    if (document.querySelector(IDLE)) setTriggerValue("again", true);
    else timer = setTimeout(ask, 100);
  }
  return () => clearTimeout(timer);
}
