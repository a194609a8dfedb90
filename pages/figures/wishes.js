// The runs that a preview may be drawn from, and the requests for them. A measured run answers for its
// own values and for every smaller depth; an exact one, free of scale, for every scale factor too. A
// gradient begins at the last layer, so that it answers for its own depth alone; and so does a run with
// a value that follows the depth.

const without = (query, ...names) =>
  JSON.stringify(Object.entries(query).filter(([name]) => !names.includes(name)));

export class Wishes {
  // ``spec`` is what the page knows of the server's figure: live.description of pages/figures/live.py.
  constructor(spec) {
    this.spec = spec;
  }

  measuredKey = (query) => `measured ${this.spec.device} ${without(query, ...this.#depths(query))}`;
  exactKey = (query) => `exact ${without(query, "scale", ...this.#depths(query))}`;

  #depths(query) {
    return this.spec.back || this.followsDepth(query) ? [] : ["depth"];
  }

  // Whether a value has the name of a stop that is another number at another depth.
  followsDepth(query) {
    const { follows, named_stops } = this.spec;
    return Object.entries(follows).some(
      ([name, size]) => size === "depth" && query[name] in named_stops[name]);
  }

  // Whether the exact run of what the server shows answers for these values.
  isExact(wanted) {
    const { deepest, query } = this.spec;
    return deepest.exact >= wanted.depth && this.exactKey(wanted) === this.exactKey(query);
  }

  measured(query, depth = query.depth) {
    return this.#wish("measured", this.measuredKey(query), { ...query, depth });
  }

  exact(query) {
    const asked = { ...query, scale: "1", depth: this.spec.deepest.exact };
    return this.#wish("exact", this.exactKey(query), asked);
  }

  #wish(kind, key, query) {
    const { back, device } = this.spec;
    const asked = new URLSearchParams({ kind, ...(back && { way: "back" }), ...query, device });
    return { kind, key, query, depth: Number(query.depth), url: `${this.spec.path}?${asked}` };
  }

  // What to wish for while a slider moves, the best first. For depth that is the longest measured run,
  // of which every shallower one is a part; for scale the exact run; otherwise the run itself.
  best(name, wanted) {
    const { back, deepest, served } = this.spec;
    const wishes = [];
    const isPart = !back && name === "depth" && !this.followsDepth(wanted);
    if (served && isPart && deepest.measured >= wanted.depth)
      wishes.push(this.measured(wanted, deepest.measured));
    if (this.isExact(wanted)) wishes.push(this.exact(wanted));
    if (served) wishes.push(this.measured(wanted));
    return wishes;
  }
}
