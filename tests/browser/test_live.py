"""The picture follows the finger: what is on screen while a slider moves, and after."""

import math
import re
from itertools import pairwise

import pytest
from playwright.sync_api import expect

from core import Experiment, backpropagate, propagate
from core.reading.gradient_run import as_run
from core.reading.verdict import judge
from tests.browser.on_screen import (
    ITERATION,
    PREVIEW,
    answer,
    curve,
    drawn,
    eventually,
    experiment_of,
    followed,
    has_query,
    main_figure,
    query_of,
    settled,
    shows,
    step,
    thumb,
    until,
    visit,
)
from tests.serving import serve

# Products in float32 and in exact arithmetic differ by rounding that grows with the layers: about
# √(n·k)·2⁻²⁴ = 1e-5 for n = 512 and k = 100. Its largest is a few times that; ours is ten.
ROUNDING = 1e-4


FIGURE = "document.querySelector('.gi-plot')"
LIVE = "document.querySelector('.gi-figure').goodInitChart.live"


def slider_at(name):
    return f"""document.querySelector('.st-key-{name} input[type="range"]')"""


def slider_input(page, name):
    return page.locator(f'.st-key-{name} input[type="range"]')


def slider_value(page, name):
    return slider_input(page, name).get_attribute("aria-valuetext")


def note_questions(page):
    """Before a visit: write down when previews of the real run are asked for.

    The browser's own record has when it came to send them, some while later on a busy machine.
    """
    page.add_init_script(
        """window.askedAt = [];
        const fetched = window.fetch;
        window.fetch = (url, ...more) => {
          const ofTheSignal = /preview\\.json.kind=measured&(?!way)/;
          if (ofTheSignal.test(url)) window.askedAt.push(performance.now());
          return fetched(url, ...more);
        };"""
    )


def asked_at(page):
    """When previews of the real run were asked for, in ms, by the page's own clock."""
    return page.evaluate("window.askedAt")


def ever_less(asked):
    """At least three questions to a busy host, each after twice the pause of the one before."""
    assert len(asked) >= 3
    for busy, (earlier, later) in enumerate(pairwise(asked), 1):
        assert later - earlier > 0.96 * min(4000, 2**busy * 1000 / 6)


def previewed(page):
    """std per layer as the preview has it, None where there is none."""
    values = page.evaluate(f"[...{PREVIEW}.log2_std].map(v => Number.isNaN(v) ? null : v)")
    return [None if value is None else 2**value for value in values]


def path(page):
    return page.locator(".gi-curves path").first.get_attribute("d")


def the_preview_lies_on_the_axes(page):
    """Its path comes to have the pixels at which Plotly itself would put the numbers."""
    # In a window of another size the figure is as wide as there is room for a little later.
    until(page, f"{FIGURE}._fullLayout.width === {FIGURE}.clientWidth")
    eventually(lambda: _assert_the_preview_lies_on_the_axes(page))


def _assert_the_preview_lies_on_the_axes(page):
    points, wanted = page.evaluate(
        f"""() => {{
          const {{ log2_std }} = {PREVIEW};
          const {{ xaxis, yaxis, _size: {{ l, t }} }} =
            document.querySelector('.gi-plot')._fullLayout;
          const path = document.querySelector('.gi-curves path').getAttribute('d');
          const drawn = [...log2_std.entries()].filter(([, log2]) => !Number.isNaN(log2));
          return [
            path.split(/[ML]/).filter(Boolean).map(point => point.split(',').map(Number)),
            drawn.map(([layer, log2]) =>
              [l + xaxis.d2p(layer), t + yaxis.l2p(log2 * Math.log10(2))]),
          ];
        }}"""
    )
    assert len(points) == len(wanted) > 0
    for point, place in zip(points, wanted, strict=True):
        assert point == pytest.approx(place, abs=0.1)  # a path has a tenth of a pixel


def big_number(page):
    return page.locator(ITERATION).last.inner_text()  # a preview's comes after the server's


def assert_close(found, wanted, tolerance):
    assert [y is None for y in found] == [y is None for y in wanted]
    for a, b in zip(found, wanted, strict=True):
        assert a is None or math.isclose(a, b, rel_tol=tolerance)


def measured(experiment):
    """std per layer of the real run, None where it is not a positive number."""
    values = propagate(experiment).stats.std.tolist()
    return [value if 0 < value < math.inf else None for value in values]


def test_the_curve_follows_the_scale_slider_and_the_server_has_the_last_word(
    page, address, dragging
):
    sent = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    visit(page, address)
    before = curve(page)
    with dragging("scale", 0.1):
        shows(page, "exact")
        followed(page, "scale")
        first, number = path(page), big_number(page)
        sent.clear()
        x, y, length = thumb(page, "scale")
        before_it = slider_value(page, "scale")
        page.mouse.move(x + 0.05 * length, y, steps=3)
        expect(slider_input(page, "scale")).not_to_have_attribute("aria-valuetext", before_it)
        followed(page, "scale")
        assert path(page) != first and int(big_number(page)) < int(number) < 28
        expect(page.locator(".gi-badge").first).to_have_text("preview in exact arithmetic")
        expect(page.locator(".st-key-scale_stop_1 button")).to_have_css(
            "background-color", "rgba(0, 0, 0, 0)"
        )  # the preset is not in use any more
        scale = float(slider_value(page, "scale"))
        seen, told = previewed(page), big_number(page)
        assert curve(page) == before and sent == []  # the server knows nothing of it yet
    settled(page)
    assert sent
    has_query(page, {"scale": f"{scale:g}"})
    wanted = measured(Experiment(scale=scale))
    assert_close(curve(page), wanted, 1e-5)  # six digits are sent
    assert_close(seen, wanted, ROUNDING)
    assert told == big_number(page) == judge_of(scale=scale).iteration
    assert page.problems == []


def judge_of(**fields):
    return judge(propagate(Experiment(**fields)))


@pytest.mark.parametrize("slider, link", [("scale", {}), ("depth", {"depth": "11"})])
def test_the_preview_lies_on_the_axes_wherever_it_jumps(page, address, dragging, slider, link):
    visit(page, address, **link)
    for across in (-0.3, 0.45, -0.05, 0.02):
        with dragging(slider, across, moves=1):
            followed(page, slider)
            the_preview_lies_on_the_axes(page)
            page.set_viewport_size({"width": 1200, "height": 900})
            the_preview_lies_on_the_axes(page)
        settled(page)
        page.set_viewport_size({"width": 1440, "height": 900})
        until(page, f"{FIGURE}._fullLayout.width === {FIGURE}.clientWidth")
    assert page.problems == []


def test_depth_is_a_prefix_of_the_longest_run_whatever_the_activation(page, address, dragging):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    visit(page, address, activation="tanh", scale="0.1", bias_std="0.1")
    with dragging("depth", 0.25):
        shows(page, "measured")
        followed(page, "depth")
        depth = int(slider_value(page, "depth"))
        assert depth > 120
        assert len([url for url in asked if "preview.json" in url and "way=back" not in url]) == 1
        expect(page.locator(".gi-badge").first).to_have_text(
            f"measured in float32, depth = {depth}"
        )
        seen = previewed(page)
        axis = page.evaluate("document.querySelector('.gi-plot')._fullLayout.xaxis.range")
        assert axis[1] > depth
    settled(page)
    real = measured(Experiment(activation="tanh", scale=0.1, bias_std=0.1, depth=depth))
    assert_close(seen, real, 1e-12)  # the same run: only a logarithm lies between
    assert len(curve(page)) == depth + 1
    assert page.problems == []


def the_gradient_follows(page, experiment):
    """The gradient's preview comes to be that of this experiment, on its own axes."""
    wanted = as_run(backpropagate(experiment))
    sizes = wanted.stats.std

    def is_there():
        values, points, places = page.evaluate(
            """() => {
              const root = document.querySelectorAll('.gi-figure')[1];
              const { back, depth, log2_std } = root.goodInitPreview;
              if (!back) throw new Error('not of a gradient');
              const { xaxis, yaxis, _size: { l, t } } = root.querySelector('.gi-plot')._fullLayout;
              const path = root.querySelector('.gi-curves path').getAttribute('d');
              return [
                [...log2_std].map(v => Number.isNaN(v) ? null : v),
                path.split(/[ML]/).filter(Boolean).map(point => point.split(',').map(Number)),
                [...log2_std.entries()].filter(([, log2]) => !Number.isNaN(log2)).map(
                  ([step, log2]) =>
                    [l + xaxis.d2p(depth - step), t + yaxis.l2p(log2 * Math.log10(2))]),
              ];
            }"""
        )
        drawn_sizes = [None if value is None else 2**value for value in values]
        real = [value if 0 < value < math.inf else None for value in sizes.tolist()]
        assert_close(drawn_sizes, real, ROUNDING)
        assert len(points) == len(places) > 0
        for point, place in zip(points, places, strict=True):
            assert point == pytest.approx(place, abs=0.1)

    eventually(is_there)


GRADIENT = {"width": 64, "activation": "relu", "weights": "fresh", "depth": 30}


@pytest.mark.parametrize("slider, shown", [("scale", "exact"), ("depth", "measured")])
def test_the_gradient_follows_the_sliders_as_the_signal_does(
    page, address, dragging, slider, shown
):
    visit(page, address, **GRADIENT, scale="√(2/n)")
    gradient = page.locator(".gi-figure").nth(1)
    before = page.evaluate("document.querySelectorAll('.gi-plot')[1].data[0].y.join()")
    with dragging(slider, 0.02):
        expect(gradient).to_have_attribute("data-shows", shown)
        e = Experiment(**GRADIENT | {"scale": (2 / 64) ** 0.5})
        value = slider_value(page, slider)
        e = e.replace(**{slider: float(value) if slider == "scale" else int(value)})
        the_gradient_follows(page, e)
    settled(page)
    expect(gradient).to_have_attribute("data-shows", "server")
    assert page.evaluate("document.querySelectorAll('.gi-plot')[1].data[0].y.join()") != before
    assert page.problems == []


def test_the_host_previews_width_a_few_times_a_second(page, address, dragging):
    note_questions(page)
    visit(page, address)
    with dragging("width", -0.3, moves=40):
        shows(page, "measured")
        x, y, length = thumb(page, "width")
        for move in range(1000):  # to and fro, while a slow host answers
            if len(asked_at(page)) >= 3:
                break
            page.mouse.move(x - 0.02 * length * (move % 2), y)
            page.wait_for_timeout(40)
        followed(page, "width")
        width = int(slider_value(page, "width"))
        seen = previewed(page)
        asked = asked_at(page)
        the_preview_lies_on_the_axes(page)
    assert len(asked) >= 3
    assert all(later - earlier > 160 for earlier, later in pairwise(asked))  # 6 a second: 167 ms
    settled(page)
    assert_close(seen, measured(Experiment(width=width)), 1e-12)
    assert page.problems == []


def test_a_named_scale_keeps_its_meaning_while_the_width_moves(page, address, dragging):
    visit(page, address, scale="1/√n", activation="relu")
    with dragging("width", -0.3):
        shows(page, "measured")
        followed(page, "width")
        width, seen = int(slider_value(page, "width")), previewed(page)
    settled(page)
    real = Experiment(width=width, scale=(1 / width) ** 0.5, activation="relu")
    assert_close(seen, measured(real), 1e-12)


def test_the_biases_of_nn_linear_keep_their_meaning_while_the_width_moves(page, address):
    visit(page, address, init="torch_linear", width=64, depth=20)
    page.get_by_role("button", name="Add it").click()
    has_query(page, {"init": "torch_linear", "width": "64", "depth": "20", "bias_std": "1/√(3n)"})
    page.locator(".st-key-more").get_by_text("More").click()
    expect(slider_input(page, "bias_std")).to_have_attribute("aria-valuetext", "1/√(3n)")
    settled(page)  # the server's figure is of the biases that the slider names
    step(page, "width", "ArrowRight")
    settled(page)
    e = experiment_of(page)
    assert e.width > 64 and e.bias_std == (1 / (3 * e.width)) ** 0.5


def test_a_slider_that_was_folded_away_is_followed_too(page, address, dragging):
    visit(page, address)
    page.locator("summary", has_text="More").click()
    page.locator(".st-key-bias_std").scroll_into_view_if_needed()
    with dragging("bias_std", 0.3):
        shows(page, "measured")
        followed(page, "bias_std")
        bias = float(slider_value(page, "bias_std"))
        seen = previewed(page)
    settled(page)
    assert_close(seen, measured(Experiment(bias_std=bias)), 1e-12)


def test_a_busy_host_is_asked_ever_less_and_nothing_is_lost(page, address, dragging):
    page.route("**/preview.json*", lambda route: route.fulfill(status=204))
    note_questions(page)
    visit(page, address)
    with dragging("width", -0.3, moves=60):
        eventually(lambda: ever_less(asked_at(page)))
        shows(page, "server")
        width = int(slider_value(page, "width"))
    settled(page)
    has_query(page, {"width": str(width)})
    assert_close(curve(page), measured(Experiment(width=width)), 1e-5)
    assert page.problems == []


def test_a_resting_finger_gets_its_preview_once_the_host_has_time(page, address, dragging):
    busy = [204, 503]  # the host, and a proxy before it

    def sometimes(route):
        if busy:
            route.fulfill(status=busy.pop())
        else:
            route.continue_()

    page.route("**/preview.json*", sometimes)
    visit(page, address)
    with dragging("scale", -0.2, moves=2):
        shows(page, "exact")
    settled(page)


def test_a_host_may_switch_its_previews_off(page, dragging):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    with serve(GOOD_INIT_LIVE_PREVIEW="off") as quiet:
        visit(page, quiet)
        with dragging("width", -0.2):
            shows(page, "server")
        settled(page)
        with dragging("scale", -0.2):
            shows(page, "exact")
        settled(page)
        with dragging("depth", 0.2):
            shows(page, "exact")
        settled(page)
    assert [url for url in asked if "kind=measured" in url] == []
    assert page.problems == []


def test_back_where_it_was_there_is_nothing_left_of_the_preview(page, address, dragging):
    visit(page, address)
    words, ranges = answer(page), "document.querySelector('.gi-plot')._fullLayout.yaxis.range"
    before = page.evaluate(ranges)
    with dragging("scale", -0.3):
        shows(page, "exact")
        followed(page, "scale")
        assert page.evaluate(ranges) != before
        x, y, length = thumb(page, "scale")
        page.mouse.move(x + 0.3 * length, y, steps=4)
        expect(slider_input(page, "scale")).to_have_attribute("aria-valuetext", "1")
    settled(page)
    assert page.evaluate(ranges) == before
    assert answer(page) == words
    has_query(page, {})


VISIBLE_NUMBERS = f"""() => {{
  window.told = [];
  const look = () => {{
    const texts = [...document.querySelectorAll('{ITERATION}')]
      .filter(node => getComputedStyle(node).visibility === 'visible')
      .map(node => node.textContent);
    if (texts.join() !== window.told.at(-1)) window.told.push(texts.join());
    requestAnimationFrame(look);
  }};
  look();
}}"""


def test_many_quick_steps_always_show_one_number_and_never_an_older(page, address):
    visit(page, address)
    page.get_by_role("slider", name="Scale factor").focus()
    page.wait_for_timeout(400)
    page.evaluate(VISIBLE_NUMBERS)
    for _ in range(30):
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(30)
        page.evaluate("new Promise(requestAnimationFrame)")  # so that a slow page draws them too
    settled(page)
    told = [int(text) for text in page.evaluate("window.told")]
    # A larger scale breaks earlier; exact arithmetic may be one iteration off the real products.
    assert len(told) > 5 and all(later <= earlier + 1 for earlier, later in pairwise(told))
    scale = float(slider_value(page, "scale"))
    assert scale == 5.62
    has_query(page, {"scale": "5.62"})
    assert_close(curve(page), measured(Experiment(scale=scale)), 1e-5)
    assert big_number(page) == judge_of(scale=scale).iteration
    assert page.problems == []


def test_there_and_back_by_keys_leaves_nothing_of_the_preview(page, address):
    visit(page, address)
    before = curve(page)
    page.get_by_role("slider", name="Scale factor").focus()
    page.wait_for_timeout(400)
    for _ in range(5):
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(1000)
    settled(page)

    def as_before():  # an answer on the way may be on screen until the last one comes
        assert curve(page) == before and big_number(page) == "28" and query_of(page) == {}

    eventually(as_before)
    settled(page)
    as_before()


def test_a_new_grip_before_the_answer_keeps_the_numbers_on_screen(page, address, dragging):
    visit(page, address)
    page.evaluate(VISIBLE_NUMBERS)
    with dragging("scale", 0.05):
        shows(page, "exact")
        followed(page, "scale")
        first = slider_value(page, "scale")
    with dragging("scale", 0.02, moves=2):
        # The first answer comes while the thumb is held.
        until(page, f"Number({LIVE}.spec.query.scale) === {first}")
        followed(page, "scale")
        shows(page, "exact")
        assert all(text.isdecimal() for text in page.evaluate("window.told"))
    settled(page)
    scale = float(slider_value(page, "scale"))
    assert big_number(page) == judge_of(scale=scale).iteration


def test_what_the_host_refuses_to_preview_leaves_the_servers_figure(page, address, dragging):
    visit(page, address, weights="fresh", depth="60", init="xavier_normal")
    with dragging("width", 0.1, moves=3):
        until(page, f"Number({slider_at('width')}.ariaValueText) > 900")
        shows(page, "server")
        expect(page.locator(".gi-preview, .gi-overlay")).to_have_count(0)
    settled(page)
    assert int(query_of(page)["width"]) > 900


def test_where_the_longest_run_is_too_long_depth_follows_all_the_same(page, address, dragging):
    visit(page, address, weights="fresh", init="xavier_normal")
    with dragging("depth", -0.2):
        shows(page, re.compile("exact|measured"))
        followed(page, "depth")
        assert int(slider_value(page, "depth")) < 80
        the_preview_lies_on_the_axes(page)
    settled(page)


def test_a_single_number_and_back(page, address):
    visit(page, address, width="2")
    slider = page.get_by_role("slider", name="Width n")
    for key, label in (("ArrowLeft", "last |x|"), ("ArrowRight", "last std")):
        slider.press(key)
        settled(page)
        expect(page.locator(".gi-numbers > :nth-child(2) span")).to_have_text(label)
    assert page.problems == []


def _zoom(page):
    box = page.locator(".gi-plot .nsewdrag").first.bounding_box()
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.3 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.8 * box["height"], steps=4)
    whole = page.evaluate(RANGES)
    page.mouse.up()
    until(page, f"!{RANGES}.includes({whole[0]})")
    page.wait_for_timeout(400)  # Plotly waits for a possible double click


RANGES = """(({ xaxis, yaxis }) => [...xaxis.range, ...yaxis.range])(
  document.querySelector('.gi-plot')._fullLayout)"""


def test_a_zoom_is_kept_while_dragging_and_after(page, address, dragging):
    visit(page, address)
    whole = page.evaluate(RANGES)
    _zoom(page)
    zoomed = page.evaluate(RANGES)
    assert zoomed != whole
    with dragging("scale", -0.35):
        shows(page, "exact")
        followed(page, "scale")
        assert page.evaluate(RANGES) == zoomed
    settled(page)
    assert page.evaluate(RANGES) == zoomed
    with dragging("depth", 0.2):
        shows(page, "measured")
        followed(page, "depth")
        assert page.evaluate(RANGES) == zoomed
    settled(page)
    assert page.evaluate(RANGES) == zoomed
    main_figure(page).get_by_label("Save the figure").click()
    main_figure(page).get_by_role("button", name="Reset view").click()
    depth = int(slider_value(page, "depth"))
    until(page, f"{RANGES}[1] > {depth}")


def test_fifty_steps_and_a_change_of_theme_leave_the_node_and_move_nothing(page, address):
    visit(page, address)
    page.evaluate(
        """() => { window.node = document.querySelector('.gi-plot'); window.shift = 0;
        new PerformanceObserver(list => {
          for (const entry of list.getEntries()) window.shift += entry.value;
        }).observe({ type: 'layout-shift' }); }"""
    )
    for _ in range(50):
        step(page, "Scale factor", "ArrowLeft")
    settled(page)
    page.emulate_media(color_scheme="dark")
    ticks = page.locator(".gi-plot .ytick text").first

    def dark():
        colour = re.findall(r"\d+", ticks.evaluate("e => getComputedStyle(e).fill"))[:3]
        assert colour and min(map(int, colour)) > 180  # none while Plotly replaces the label

    eventually(dark)
    assert page.evaluate("document.querySelector('.gi-plot') === window.node")
    step(page, "Scale factor", "ArrowRight")
    settled(page)
    assert page.evaluate("document.querySelector('.gi-plot') === window.node")
    eventually(dark)
    assert page.evaluate("window.shift") < 1e-3  # the label that goes along with its thumb
    assert page.problems == []


def test_nothing_moves_in_a_drag(page, address, dragging):
    visit(page, address)
    page.evaluate(
        """() => { window.shift = 0; new PerformanceObserver(list => {
          for (const entry of list.getEntries()) window.shift += entry.value;
        }).observe({ type: 'layout-shift' }); }"""
    )
    for slider, across in (("scale", -0.4), ("depth", 0.3), ("width", -0.3)):
        page.evaluate("window.shift = 0")
        with dragging(slider, across):
            shows(page, re.compile("exact|measured"))
            followed(page, slider)
            page.wait_for_timeout(300)  # whatever would move
            assert page.evaluate("window.shift") == 0
        settled(page)


def test_the_label_under_the_pointer_survives_a_step(page, address):
    visit(page, address, scale="1/√n")
    box = page.locator(".gi-plot .nsewdrag").first.bounding_box()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"], steps=3)
    label = page.locator(".gi-plot .hoverlayer .hovertext", has_text="std")
    expect(label).to_contain_text("layer 50")
    before = label.text_content()
    page.get_by_role("slider", name="Scale factor").focus()
    step(page, "Scale factor", "ArrowLeft")
    settled(page)
    expect(label).to_contain_text("layer 50")
    expect(label).not_to_have_text(before)


def test_without_the_script_streamlits_own_chart_takes_over(page, address):
    page.route("**/assets/**", lambda route: route.abort())
    page.goto(address)
    expect(page.get_by_test_id("stPlotlyChart").first).to_be_visible()
    expect(page.get_by_test_id("stPlotlyChart")).to_have_count(7)
    expect(page.locator(".gi-figure")).to_have_count(0)
    expect(page.locator(".gi-problems, [data-testid=stException], [role=alert]")).to_have_count(0)
    expect(page.locator(ITERATION)).to_have_text("28")
    page.get_by_role("slider", name="Depth").press("Home")
    expect(page.locator(".gi-verdict")).to_contain_text("After 1 product ")


def test_scripts_are_fetched_once_and_kept(visitor, address):
    sizes = """performance.getEntriesByType('resource').filter(e => e.name.includes('/assets/'))
      .map(e => [e.name.split('/').pop(), e.transferSize, e.encodedBodySize])"""
    page = visit(visitor(), address)
    first = page.evaluate(sizes)
    assert {name for name, *_ in first} > {"chart.js", "live.js", "preview.js"}
    assert sum(moved for _, moved, _ in first) <= 1.6e6
    assert any("plotly" in name and size > 1e6 for name, _, size in first)
    page.goto(f"{address}/?depth=50")
    drawn(page)
    again = page.evaluate(sizes)
    assert {name for name, *_ in again} == {name for name, *_ in first}
    assert all(moved == 0 for _, moved, _ in again)


def test_a_finger_on_a_phone_sees_the_chart_that_it_moves(visitor, address):
    page = visitor(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    visit(page, address)
    controls = page.locator(".st-key-scale")
    controls.evaluate("node => node.scrollIntoView({ block: 'end' })")
    page.mouse.wheel(0, 150)
    page.wait_for_timeout(500)  # it scrolls
    x, y, _ = thumb(page, "scale")
    touch = page.context.new_cdp_session(page)

    def send(kind, *points):
        at = [{"x": px, "y": py} for px, py in points]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})
        page.wait_for_timeout(40)

    send("touchStart", (x, y))
    for move in range(1, 20):
        send("touchMove", (x - 4 * move, y))
    shows(page, "exact")
    followed(page, "scale")
    plot, number = page.locator(".gi-plot").first.bounding_box(), page.locator(ITERATION).last
    assert plot["y"] >= 0 and plot["y"] + plot["height"] <= y  # above the finger, all of it
    expect(number).not_to_have_text("28")
    assert number.bounding_box()["y"] >= 0
    send("touchEnd")
    settled(page)
    assert float(query_of(page)["scale"]) < 1
    assert page.problems == []
