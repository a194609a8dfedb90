// Writes what a page keeps by itself into the address, and nothing else of it. The server would have
// to send the whole address, which arrives late and undoes in it what a slider wrote there meanwhile.
// Where it sends one all the same, because a widget was set, this is written again after it.

const app = () => document.querySelector('[data-testid="stApp"]');

// On the way to another page Streamlit makes a step of every address that it passes, some of them
// still of the page that is left, and going back would stop at each. So the way is one step: the page
// that is left keeps the address it had, and of the new page's the last one counts. The way begins
// with a click on a link, or with what the server opens, and ends as the new page writes its address.
// A preset, which sets several controls, is a way to another address of the same page.
class Passage {
  constructor({ history, location, document }) {
    Object.assign(this, { history, location, push: history.pushState.bind(history) });
    history.pushState = (...step) => this.step(...step);
    document.addEventListener("click", (event) => this.clicked(event), true);
    window.addEventListener("popstate", () => this.end());
  }

  begin() {
    if (!this.begun) Object.assign(this, { begun: true, left: this.location.href });
  }

  end() {
    this.begun = false;
  }

  leads(url) {
    return url.pathname !== this.location.pathname || url.searchParams.has("open");
  }

  clicked({ target, ctrlKey, metaKey, shiftKey }) {
    if (target.closest?.(".st-key-presets button")) this.begin();
    const link = target.closest?.("a[href]");
    if (!link || link.target || ctrlKey || metaKey || shiftKey) return;
    const url = new URL(link.href);
    if (url.origin === this.location.origin && this.leads(url)) this.begin();
  }

  step(state, title, url) {
    const { history, location } = this;
    const next = new URL(url, location.href);
    if (this.leads(next)) this.begin();
    if (!this.begun) return this.push(state, title, url);
    if (next.pathname === location.pathname) return history.replaceState(state, title, url);
    if (this.left) history.replaceState(history.state, title, this.left);
    this.left = null;
    return this.push(state, title, url);
  }
}
window.goodInitPassage ??= new Passage(window);

// ``owned`` says which parameters are meant: names, or how they begin, with a * at the end. ``steps``
// counts the clicks that changed them: each is a step that the viewer can go back.
function write({ owned, params: wanted, steps }) {
  const { begun, left } = window.goodInitPassage;
  window.goodInitPassage.end();
  const address = new URL(window.location.href);
  const params = address.searchParams;
  const isOwned = (name) => owned.some((pattern) =>
    pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern);
  for (const name of [...params.keys()])
    if (isOwned(name) && wanted[name] !== params.get(name)) params.delete(name);
  for (const [name, text] of Object.entries(wanted))
    if (!params.has(name)) params.append(name, text);
  const isStep = steps > (window.goodInitSteps ?? 0);
  window.goodInitSteps = steps;
  const wasReplaced = isStep && begun && left;
  if (wasReplaced) window.history.replaceState(window.history.state, "", left);
  if (wasReplaced && address.href === left) return;
  if (!wasReplaced && `${params}` === `${new URLSearchParams(window.location.search)}`) return;
  window.history[isStep ? "pushState" : "replaceState"]({}, "", address);
}

// Streamlit calls this for every answer, and need not leave the last call before.
export default function keep({ data }) {
  window.goodInitAddress?.();
  const stop = window.goodInitAddress = () => {
    ended.disconnect();
    window.removeEventListener("popstate", stop); // then an older address has the say
  };
  const ended = new MutationObserver(() => {
    if (app().dataset.testScriptState !== "notRunning") return;
    stop();
    if (!window.goodInitPassage.begun) write(data);
  });
  write(data);
  ended.observe(app(), { attributeFilter: ["data-test-script-state"] });
  window.addEventListener("popstate", stop);
  return stop;
}
