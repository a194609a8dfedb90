// Writes what a page keeps by itself into the address, and nothing else of it. The server would have
// to send the whole address, which arrives late and undoes in it what a slider wrote there meanwhile.
// Where it sends one all the same, because a widget was set, this is written again after it.

const app = () => document.querySelector('[data-testid="stApp"]');

// ``owned`` says which parameters are meant: names, or how they begin, with a * at the end. ``steps``
// counts the clicks that changed them: each is a step that the viewer can go back.
function write({ owned, params: wanted, steps }) {
  const address = new URL(window.location.href);
  const params = address.searchParams;
  const isOwned = (name) => owned.some((pattern) =>
    pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern);
  for (const name of [...params.keys()])
    if (isOwned(name) && wanted[name] !== params.get(name)) params.delete(name);
  for (const [name, text] of Object.entries(wanted))
    if (!params.has(name)) params.append(name, text);
  const known = window.goodInitSteps ?? 0;
  window.goodInitSteps = steps;
  if (`${params}` === `${new URLSearchParams(window.location.search)}`) return;
  window.history[steps > known ? "pushState" : "replaceState"]({}, "", address);
}

export default function keep({ data }) {
  const stop = () => {
    ended.disconnect();
    window.removeEventListener("popstate", stop); // then an older address has the say
  };
  const ended = new MutationObserver(() => {
    if (app().dataset.testScriptState !== "notRunning") return;
    stop();
    write(data);
  });
  write(data);
  ended.observe(app(), { attributeFilter: ["data-test-script-state"] });
  window.addEventListener("popstate", stop);
  return stop;
}
