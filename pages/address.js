// Writes what is kept into the address, and nothing else of it. The server would have to send the
// whole address, which arrives late and undoes in it what a slider wrote there meanwhile.

const PREFIX = "pin_";

// ``steps`` counts the clicks that changed the pins: each is a step that the viewer can go back.
export default function write({ data: { pins, steps } }) {
  const address = new URL(window.location.href);
  const params = address.searchParams;
  for (const name of [...params.keys()])
    if (name.startsWith(PREFIX) && pins[name] !== params.get(name)) params.delete(name);
  for (const [name, text] of Object.entries(pins))
    if (!params.has(name)) params.append(name, text);
  const known = window.goodInitSteps ?? 0;
  window.goodInitSteps = steps;
  if (`${params}` === `${new URLSearchParams(window.location.search)}`) return;
  window.history[steps > known ? "pushState" : "replaceState"]({}, "", address);
}
