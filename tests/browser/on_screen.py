"""What a viewer of Explore sees and does, in the words of the tests."""

import time
from urllib.parse import parse_qs, urlencode

from playwright.sync_api import Error, expect
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from core import Experiment

_PATIENCE = 60.0  # seconds; the first page of a cold server takes a few, a busy machine many more
ITERATION = ".gi-numbers > :first-child strong"
PREVIEW = "document.querySelector('.gi-figure').goodInitPreview"
_IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'


def eventually(check):
    """Call a check until it passes: no assertion fails in it and nothing is missing on the page."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return check()
        except (AssertionError, Error):
            if time.monotonic() > deadline:
                raise
        time.sleep(0.02)


def until(page, expression, argument=None):
    """Wait until an expression holds in the page, or a function of the argument.

    Playwright's own waiting compiles text inside the page, which the page forbids.
    """
    deadline = time.monotonic() + _PATIENCE
    while not page.evaluate(expression, argument):
        assert time.monotonic() < deadline, f"{expression} did not come true"
        page.wait_for_timeout(20)


def listen(page):
    """``page.owed()``: whether the page asked for something, and no answer has begun.

    The page itself shows nothing of it: it is idle until the first message comes.
    """
    owed = {}

    def hear(socket):
        owed.clear()  # what was asked on another one is asked again, or forgotten

        def sent(frame):
            if BackMsg.FromString(frame).WhichOneof("type") == "rerun_script":
                owed[socket] = True

        def received(frame):
            if ForwardMsg.FromString(frame).WhichOneof("type") == "new_session":
                owed.clear()

        socket.on("framesent", sent)
        socket.on("framereceived", received)

    page.on("websocket", hear)
    page.owed = lambda: bool(owed)


def visit(page, address, **query):
    """Open a link and wait until everything on it is there."""
    page.goto(f"{address}/?{urlencode(query)}")
    drawn(page)
    return page


# Whether something holds, and still does when what Streamlit or a figure has put off was done: both
# wait for a frame and some 10 ms at most, and timers come in the order of their times.
_STAYS = """async argument => {
  const look = LOOK;
  const before = look(argument);
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 30)));
  const after = look(argument);
  return after.length > 0 && after.every((part, i) => part === before[i]);
}"""
_IS_IDLE = _STAYS.replace("LOOK", f"() => [...document.querySelectorAll('{_IDLE}')]")
# The data of all figures, if they are drawn and of what the sliders and the address ask for.
_IS_DRAWN = _STAYS.replace(
    "LOOK",
    """(wanted) => {
    const charts = [...document.querySelectorAll('.gi-figure')].map((root) => root.goodInitChart);
    const isDrawn = ({ plot, newest }) => plot._fullLayout && plot.data === newest?.figure.data;
    const isWanted = ({ live }) => !live || (live.isWanted() &&
      Object.entries(wanted).every(([name, text]) => live.spec.query[name] === text));
    const isThere = document.querySelector('IDLE') &&
      document.querySelector('[data-testid="stSlider"]') &&
      charts.every((chart) => chart && isDrawn(chart) && isWanted(chart));
    return isThere ? charts.map(({ newest }) => newest) : [];
  }""".replace("IDLE", _IDLE),
)


def idle(page):
    """Wait until the server has answered what the page asked, and has nothing more to send.

    Right after an action the page itself is idle: until the first message of the answer comes.
    """
    until_answered(page, lambda: page.evaluate(_IS_IDLE))


def drawn(page):
    """Wait until every figure is drawn, and is of what the controls and the address ask for."""
    until_answered(page, lambda: page.evaluate(_IS_DRAWN, experiment_of(page).to_query()))


def until_answered(page, holds):
    """Wait until the server owes no answer and something holds."""
    deadline = time.monotonic() + 2 * _PATIENCE
    while page.owed() or not holds():
        assert time.monotonic() < deadline, f"no answer to {query_of(page)}"
        page.wait_for_timeout(20)


def shows(page, what):
    """Expect the main figure to be of the server, or a preview of this kind."""
    expect(main_figure(page)).to_have_attribute("data-shows", what)


def settled(page):
    """Wait until the server's figure answers the sliders, and nothing is left of a preview."""
    drawn(page)
    shows(page, "server")
    expect(page.locator(".gi-preview, .gi-overlay")).to_have_count(0)


_FOLLOWS = """slider => {
  const { shown } = document.querySelector('.gi-figure').goodInitChart.live;
  const input = document.querySelector(`.st-key-${slider} input[type="range"]`);
  const value = input.getAttribute('aria-valuetext');
  const of = { scale: shown?.[1], depth: shown?.[2] }[slider];
  const badge = document.querySelector('.gi-badge')?.textContent ?? '';
  return of === value || badge.endsWith(`, ${slider} = ${value}`);
}"""


def followed(page, slider):
    """Wait until the preview is of what this slider stands at."""
    until(page, _FOLLOWS, slider)


def step(page, slider, key):
    """Move a slider by one key, and wait for the picture that answers it."""
    page.evaluate("window.dataBefore = document.querySelector('.gi-plot').data")
    page.get_by_role("slider", name=slider).press(key)
    until(page, "document.querySelector('.gi-plot').data !== window.dataBefore")
    drawn(page)


def query_of(page):
    """The parameters in the address bar, now: ``page.url`` hears of them later."""
    query = parse_qs(page.evaluate("location.search.slice(1)"))
    return {name: texts[0] for name, texts in query.items()}


def experiment_of(page):
    """What the address bar asks for."""
    return Experiment.from_query(query_of(page))[0]


def has_query(page, wanted):
    """Wait until these are the parameters in the address bar, and no others."""

    def same():
        assert (found := query_of(page)) == wanted, f"{found} is not {wanted}"

    eventually(same)


def answer(page):
    return page.locator(".gi-answer").inner_text()


def curve(page, figure=0):
    """The y values of a figure's main curve: the first of what was measured, or of all."""
    script = """i => {
      const { data } = [...document.querySelectorAll('.gi-plot')][i];
      return (data.find(({ meta }) => meta?.statistic) ?? data[0]).y;
    }"""
    return page.evaluate(script, figure)


def seen(page):
    """All that two viewers of the same link should have in common."""
    checks = page.locator(".gi-checks").inner_text()
    return answer(page), checks, curve(page)


def copied_link(page):
    """The link that the page offers to copy."""
    page.locator("summary", has_text="Copy link").click()
    code = page.get_by_test_id("stExpander").locator("code").first
    expect(code).to_contain_text("http")
    return code.inner_text()


def main_figure(page):
    return page.get_by_role("figure", name="Standard deviation of x per layer")


def ends_above(height, *locators):
    """Wait until the elements are there, and end so far down the window, in pixels, at most."""

    def fits():
        for box in (locator.bounding_box() for locator in locators):
            assert box["y"] + box["height"] <= height

    eventually(fits)


def scrolls_one_way(page, width, *locators):
    """Wait until the page, and all that is found, lies within this width in pixels."""

    def fits():
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for item in (item for locator in locators for item in locator.all()):
            box = item.bounding_box()
            assert box["x"] >= 0 and box["x"] + box["width"] <= width

    eventually(fits)


def thumb(page, slider):
    """Where a slider's thumb is, and how long its track, when it rests: x, y, length in pixels."""
    script = """name => {
      const input = document.querySelector(`.st-key-${name} input[type="range"]`);
      const track = input.closest('[data-testid="stSlider"]').getBoundingClientRect();
      const thumb = input.parentElement.parentElement.getBoundingClientRect();
      return [thumb.x + thumb.width / 2, thumb.y + thumb.height / 2, track.width];
    }"""
    place = None
    while place != (place := page.evaluate(script, slider)):
        page.wait_for_timeout(100)  # what folds out or scrolls is elsewhere by then
    return place


def choose(page, name, option):
    """Pick from a list after scrolling to it, for an open one closes when the page scrolls."""
    box = page.get_by_role("combobox", name=name)
    box.scroll_into_view_if_needed()
    choice = page.get_by_role("option", name=option, exact=True)

    def pick():  # as a person does whom the page has moved the list away from
        if not choice.is_visible():
            box.click(timeout=5_000)
        choice.click(timeout=5_000)

    eventually(pick)


def type_value(page, name, text):
    """Type a value that a menu lacks into the field below it, which is folded away at first."""
    box = page.get_by_role("textbox", name=f"{name}, typed")
    if not box.count():
        page.locator("summary", has_text="More:").click()
    expect(box).to_be_visible()
    box.scroll_into_view_if_needed()
    box.fill(text)
    box.press("Enter")
    return box
