// Writes what a page keeps by itself into the address, and nothing else of it. The server would have
// to send the whole address, which arrives late and undoes in it what a slider wrote there meanwhile.
// Into every other address of the page, which the server or a slider writes, it is put, too.

// On the way to another page Streamlit makes a step of every address that it passes, some of them
// still of the page that is left, and going back would stop at each. So the way is one step: the page
// that is left keeps the address it had, and of the new page's the last one counts. The way begins
// with a click on a link, or with what the server opens, and ends as the new page writes its address.
// A preset, which sets several controls, is a way to another address of the same page.
class Passage {
  constructor({ history, location, document }) {
    const [push, replace] = [history.pushState.bind(history), history.replaceState.bind(history)];
    Object.assign(this, { location, push, replace });
    history.pushState = (...step) => this.step(...step);
    history.replaceState = (state, title, url) => replace(state, title, this.kept(url));
    document.addEventListener("click", (event) => this.clicked(event), true);
    window.addEventListener("popstate", () => {
      this.end();
      this.told = null; // the older address has the say
    });
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
    const { location } = this;
    const next = new URL(url, location.href);
    if (this.leads(next)) this.begin();
    if (!this.begun) return this.push(state, title, this.kept(url));
    if (next.pathname === location.pathname) return this.replace(state, title, url);
    if (this.left) this.replace(window.history.state, title, this.left);
    this.left = null;
    return this.push(state, title, url);
  }

  // Another's address of this page, with what the page keeps.
  kept(url) {
    const next = new URL(url ?? "", this.location.href);
    const isOurs = this.told && !this.begun && next.pathname === this.location.pathname;
    return isOurs ? amended(next, this.told) : url;
  }
}
window.goodInitPassage ??= new Passage(window);

// An address with what the page keeps, and nothing else of that. ``owned`` says which parameters are
// meant: names, or how they begin, with a * at the end.
function amended(address, { owned, params: wanted }) {
  const params = address.searchParams;
  const isOwned = (name) => owned.some((pattern) =>
    pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern);
  for (const name of [...params.keys()])
    if (isOwned(name) && wanted[name] !== params.get(name)) params.delete(name);
  for (const [name, text] of Object.entries(wanted))
    if (!params.has(name)) params.append(name, text);
  return address;
}

// ``steps`` counts the clicks that changed what is kept: each is a step that the viewer can go back.
export default function write({ data }) {
  const passage = window.goodInitPassage;
  const { begun, left } = passage;
  passage.end();
  passage.told = data;
  const address = amended(new URL(window.location.href), data);
  const isStep = data.steps > (window.goodInitSteps ?? 0);
  window.goodInitSteps = data.steps;
  const wasReplaced = isStep && begun && left;
  if (wasReplaced) passage.replace(window.history.state, "", left);
  const before = new URLSearchParams(window.location.search);
  if (`${address.searchParams}` !== `${before}`)
    window.history[isStep ? "pushState" : "replaceState"]({}, "", address);
  return () => { if (passage.told === data) passage.told = null; };
}
