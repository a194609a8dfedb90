// Writes a page's own parameters into the address, and no others. The server could only send the whole
// address: it would arrive late, and undo what a slider wrote meanwhile. When the server or a slider
// writes an address of this page, the page's own parameters are put into that one too.

// On the way from one page to another Streamlit makes a history entry of every address, some of them
// still of the page that is left, and going back would stop at each. Here the whole way is one entry:
// the page that is left keeps the address it had, and the new page keeps its last one. The way begins
// with a click on a link, or when the server opens a page. It ends when the new page writes its
// address. A preset sets several controls at once: it is a way too, to another address of the page.

// After a step in the history the address is already what the viewer went back to. Until the page that
// belongs to it has written its own parameters, or the viewer does something, it stays as it is: the
// page that is left still takes its parameters away, and a page that was only passed on the way to
// another one still arrives. Either would make a history entry, or change one for good.
class Passage {
  constructor({ history, location, document }) {
    const [push, replace] = [history.pushState.bind(history), history.replaceState.bind(history)];
    Object.assign(this, { location, push, replace });
    history.pushState = (...step) => this.step(...step);
    history.replaceState = (state, title, url) => {
      if (!this.returning) replace(state, title, this.withOwn(url));
    };
    for (const act of ["pointerdown", "keydown", "click"])
      document.addEventListener(act, () => { this.returning = false; }, true);
    document.addEventListener("click", (event) => this.clicked(event), true);
    window.addEventListener("popstate", () => {
      this.end();
      this.returning = !this.location.hash; // a jump inside the page is not answered
      this.told = null; // the older address stays as it is
    });
  }

  begin() {
    if (!this.begun) Object.assign(this, { begun: true, left: this.location.href });
  }

  end() {
    this.begun = false;
  }

  // Whether a page is the one at the address; Explore has no name there.
  isAt(page) {
    return this.location.pathname.endsWith(page === "explore" ? "/" : `/${page}`);
  }

  // Before the server opens a page, it sends that page's query alone, which gets the path of the page
  // that is left. So a query leads away too if it is for another page: ?open= for any, ?room= for Guess.
  leads({ pathname, searchParams }) {
    const isOfGuess = searchParams.has("room") && !pathname.endsWith("/guess");
    return pathname !== this.location.pathname || searchParams.has("open") || isOfGuess;
  }

  clicked({ target, ctrlKey, metaKey, shiftKey }) {
    if (target.closest?.(".st-key-presets button")) this.begin();
    const link = target.closest?.("a[href]");
    if (!link || link.target || ctrlKey || metaKey || shiftKey) return;
    const url = new URL(link.href);
    if (url.origin === this.location.origin && this.leads(url)) this.begin();
  }

  step(state, title, url) {
    if (this.returning) return undefined;
    const { location } = this;
    const next = new URL(url, location.href);
    if (this.leads(next)) this.begin();
    if (!this.begun) return this.push(state, title, this.withOwn(url));
    if (next.pathname === location.pathname) return this.replace(state, title, url);
    if (this.left) this.replace(window.history.state, title, this.left);
    this.left = null;
    return this.push(state, title, url);
  }

  // An address of this page from the server or a slider, with the page's own parameters.
  withOwn(url) {
    const next = new URL(url ?? "", this.location.href);
    const isOurs = this.told && !this.begun && next.pathname === this.location.pathname;
    return isOurs ? amended(next, this.told) : url;
  }
}
window.goodInitPassage ??= new Passage(window);

// An address in which ``params`` replace all parameters that are owned. ``owned`` has their names; a
// name that ends in * stands for all that begin so.
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

// Writes what a slider should have written itself. When the page's own parameters change, a slider may be
// drawn at a new place, and Streamlit forgets that it writes the address. So a value of ``beside`` that is
// new in this answer is written here, if the address still has that of the last answer. An answer to an
// older step may come after the slider went back: the next answer mends what was written then. Returns
// whether anything was written.
function mend({ searchParams: params }, { beside }, last) {
  const names = Object.keys({ ...last.beside, ...beside }).filter((name) =>
    beside[name] !== last.beside[name] && (params.get(name) ?? undefined) === last.beside[name]);
  for (const name of names)
    if (beside[name] === undefined) params.delete(name);
    else params.set(name, beside[name]);
  return names.length > 0;
}

function isSame(params, others) {
  return `${new URLSearchParams(params)}` === `${new URLSearchParams(others)}`;
}

// ``steps`` counts the clicks that changed the page's own parameters: each becomes a history entry.
// ``returns`` counts steps in the history, so that there is something to write after each.
export default function write({ data }) {
  const passage = window.goodInitPassage;
  if (passage.returning && !passage.isAt(data.page)) return undefined;
  passage.returning = false;
  const { begun, left } = passage;
  passage.end();
  passage.told = data;
  const address = amended(new URL(window.location.href), data);
  const last = passage.written;
  const isLater = last?.page === data.page;
  const moves = isLater && !isSame(data.params, last.params);
  const isMended = isLater && last.moved && !moves && mend(address, data, last);
  const stays = isLater && last.moved && (isMended || isSame(data.beside, last.beside));
  const isStep = data.steps > (window.goodInitSteps ?? 0);
  window.goodInitSteps = data.steps;
  const wasReplaced = isStep && begun && left;
  if (wasReplaced) passage.replace(window.history.state, "", left);
  const before = new URLSearchParams(window.location.search);
  if (`${address.searchParams}` !== `${before}`)
    window.history[isStep ? "pushState" : "replaceState"]({}, "", address);
  passage.written = { ...data, moved: moves || stays };
  return () => { if (passage.told === data) passage.told = null; };
}
