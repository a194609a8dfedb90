import json
import re
from collections import Counter
from html import unescape
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from core import ACTIVATIONS, INITIALIZERS, Experiment, backpropagate, propagate
from core.host import limits
from core.layer.stack import Layer
from core.question.experiment import PARAMETERS
from core.reading import verdict
from core.reading.verdict import judge
from core.simulation.script import to_script
from core.text import significant
from pages.words import page
from tests.serving import ROOT

LINK = {
    "width": "64",
    "depth": "30",
    "init": "uniform",
    "scale": "1/√n",
    "activation": "relu",
    "weights": "fresh",
    "bias_std": "0.1",
    "number_format": "float16",
    "batch_size": "4",
    "loss_scale": "1024",
    "seed": "7",
    "branch": "mlp",
    "expansion": "2",
    "skip": "identity",
    "branch_scale": "1/√(2L)",
    "norm": "batch",
    "norm_place": "inside",
    "input": "pixels",
    "input_scale": "2",
}
MEANT = Experiment(
    width=64,
    depth=30,
    init="uniform",
    scale=0.125,
    activation="relu",
    weights="fresh",
    bias_std=0.1,
    number_format="float16",
    batch_size=4,
    loss_scale=1024.0,
    seed=7,
    branch="mlp",
    expansion=2,
    skip="identity",
    branch_scale=(1 / 60) ** 0.5,
    norm="batch",
    norm_place="inside",
    input="pixels",
    input_scale=2.0,
)
KINDS = {
    "width": "select_slider",
    "depth": "select_slider",
    "scale": "select_slider",
    "bias_std": "select_slider",
    "batch_size": "select_slider",
    "loss_scale": "select_slider",
    "init": "selectbox",
    "activation": "selectbox",
    "number_format": "selectbox",
    "weights": "button_group",
    "seed": "text_input",
    "branch": "selectbox",
    "expansion": "select_slider",
    "skip": "button_group",
    "branch_scale": "select_slider",
    "norm": "selectbox",
    "norm_place": "selectbox",
    "input": "selectbox",
    "input_scale": "select_slider",
}


def pressed_stops(at):
    """Which of the lesson's scale factors is marked as the one in use."""
    stops = [button for button in at.button if (button.key or "").startswith("scale_stop_")]
    return [button.label for button in stops if button.proto.type == "primary"]


def visited(page, query):
    """A page as a viewer who follows its link gets it."""
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    at.switch_page(page)
    for name, text in query.items():
        at.query_params[name] = text
    at.session_state["more"] = at.session_state["layer"] = True  # unfolded
    at.run()
    assert not at.exception
    return at


def opened(**query):
    return visited("pages/explore.py", query)


def widget(at, name):
    return getattr(at, KINDS[name])(key=name)


def blocks(at, css_class):
    """The page's own HTML blocks of a class, as they are sent."""
    bodies = [block.proto.body for block in at.get("html")]
    return [body for body in bodies if body.startswith(f'<div class="{css_class}"')]


def words(html):
    return " ".join(unescape(re.sub("<[^>]*>", " ", html)).split())


def answer(at):
    [block] = blocks(at, "gi-answer")
    return words(block)


def items(block):
    return re.findall(r"<li>(.*?)</li>", block, flags=re.DOTALL)


def problems(at):
    return [words(item) for block in blocks(at, "gi-problems") for item in items(block)]


def shown(at):
    """The Experiment whose numbers can be downloaded beside the charts."""
    [button] = at.get("link_button")
    query = {name: texts[0] for name, texts in parse_qs(urlsplit(button.proto.url).query).items()}
    assert query.pop("device") == "cpu"
    query.pop("backward", None)
    experiment, wrong = Experiment.from_query(query)
    assert not wrong
    return experiment


def chart(at, key):
    """What a chart's component is sent."""
    [proto] = [part.proto for part in at.get("bidi_component") if f"-{key}" in part.proto.id]
    return json.loads(proto.bytes)


def test_the_lesson_explodes_at_iteration_28():
    at = opened()
    assert "explodes" in answer(at)
    assert "NaN iteration 28 i = 28, the 29th product" in answer(at)
    assert shown(at) == Experiment()
    assert problems(at) == []


def test_a_link_sets_every_widget():
    at = opened(**LINK)
    assert set(KINDS) == set(PARAMETERS)
    for name, text in LINK.items():
        named = name in ("scale", "branch_scale", "seed")
        expected = text if named else getattr(MEANT, name)
        assert widget(at, name).value == expected, name
    assert shown(at) == MEANT
    assert problems(at) == []


def controls(at):
    """The keys of all widgets on the page."""
    return sorted(each.key for kind in set(KINDS.values()) for each in getattr(at, kind))


def test_what_is_folded_away_is_not_sent_and_counts_all_the_same():
    at = opened(**LINK)
    everything = controls(at)
    at.session_state["more"] = at.session_state["layer"] = False
    at.run()
    assert not at.exception and shown(at) == MEANT and problems(at) == []
    assert not at.selectbox and not at.text_input
    at.toggle(key="relu").set_value(False).run()
    assert shown(at) == MEANT.replace(activation="linear")
    at.session_state["more"] = at.session_state["layer"] = True
    at.run()
    assert controls(at) == everything
    assert at.selectbox(key="activation").value == "linear"
    assert at.text_input(key="seed").value == "7"


def test_menus_show_the_names_that_people_read_and_links_keep_the_keys():
    at = opened(init="kaiming_normal", activation="relu_squared")
    assert "Kaiming (normal)" in widget(at, "init").options
    assert "ReLU squared" in widget(at, "activation").options
    assert widget(at, "init").value == "kaiming_normal"
    widget(at, "init").set_value("torch_linear").run()
    assert shown(at).replace(bias_std=0.0) == Experiment(
        init="torch_linear", activation="relu_squared"
    )
    for name, registry in (("init", INITIALIZERS), ("activation", ACTIVATIONS)):
        labels = [PARAMETERS[name].name_of(key) for key in registry]
        assert len(set(labels)) == len(registry) and all(labels)


def test_the_first_screen_says_what_x_and_a_are_and_where_to_begin():
    at = opened()
    told = " ".join(words(part.proto.body) for part in at.get("html"))
    assert "x : n random numbers. a : an n × n random matrix" in told
    links = {link.proto.label: link.proto.page for link in at.get("page_link")}
    assert links["New here? Start the lesson"] == "lesson"


def test_the_menu_of_a_narrow_window_leads_to_every_page():
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    assert not at.exception
    pages = [link.proto.page for link in at.get("page_link")]
    rest = ["number-formats", "phase-diagram", "width-sweep", "your-model", "papers"]
    assert pages[:8] == ["", "lesson", "guess", *rest]


def test_torchs_own_checks_are_told_in_a_sentence():
    [block] = blocks(opened(), "gi-checks")
    told = words(block)
    assert told.startswith(
        "If you test with torch (cpu): x.std() is NaN from i = 27 on; x.mean() is NaN from "
        "i = 27 on. The first element that is not finite comes at i = 28 ."
    )
    [block] = blocks(opened(scale="1/√n"), "gi-checks")
    assert "x.std() is never NaN" in words(block) and "Every element is finite" in words(block)


def test_the_device_stays_when_it_is_folded_away(monkeypatch):
    monkeypatch.setattr("core.host.devices.available_devices", lambda: ["cpu", "cpu:0"])
    at = opened(width="64", depth="30")
    at.selectbox(key="device").select("cpu:0").run()
    for unfolded in (False, True):
        at.session_state["more"] = unfolded
        at.run()
        assert not at.exception and at.session_state["device"] == "cpu:0"
    assert at.selectbox(key="device").value == "cpu:0"


def test_a_link_gives_its_own_answer():
    verdict = judge(propagate(MEANT))
    assert verdict.sentence in answer(opened(**LINK))


def test_a_value_between_the_stops_is_kept():
    at = opened(width="500", scale="0.04321", depth="1234", bias_std="0.3", batch_size="3")
    expected = Experiment(width=500, scale=0.04321, depth=1234, bias_std=0.3, batch_size=3)
    assert shown(at) == expected
    assert widget(at, "width").value == 500 and "500" in widget(at, "width").options


def test_the_chart_says_the_verdict_in_words_and_carries_every_layer():
    at = opened(**LINK)
    sent = chart(at, "std")
    assert judge(propagate(MEANT)).sentence in sent["alt"]
    assert len(sent["figure"]["data"][0]["y"]) == MEANT.depth + 1
    assert sent["urgent"] and not chart(at, "mean")["urgent"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("width", "1e9"),
        ("width", "0"),
        ("width", "-5"),
        ("width", ""),
        ("width", "9" * 5000),
        ("depth", "inf"),
        ("depth", "1e999"),
        ("depth", "１２"),  # digits to Python's int(), but not to us
        ("scale", "nan"),
        ("scale", "-1"),
        ("scale", "1/√m"),
        ("activation", "foo"),
        ("activation", "ReLUs"),
        ("init", "__class__"),
        ("weights", "<script>alert(1)</script>"),
        ("number_format", "<img src=x onerror=alert(1)>"),
        ("bias_std", "<b>1</b>"),
        ("batch_size", "4097"),
        ("branch", "attention"),
        ("expansion", "17"),
        ("skip", "yes"),
        ("branch_scale", "1/√M"),
        ("norm", "group"),
        ("norm_place", "<b>"),
        ("input", "x"),
        ("input_scale", "-1"),
        ("seed", "abc"),
        ("seed", "-1"),
        ("seed", str(2**63)),
        ("seed", "\x00"),
    ],
    ids=lambda text: re.sub(r"\W", "_", text[:12]),
)
def test_a_bad_value_is_named_and_the_default_is_used(name, text):
    at = opened(**{name: text})
    [problem] = problems(at)
    assert problem.startswith(f"{name} must be {PARAMETERS[name].allowed}, got ")
    assert problem.endswith(f": {Experiment().to_query()[name]} is used")
    assert shown(at) == Experiment()


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", "<img src=x>", '"><b>'])
@pytest.mark.parametrize("where", ["name", "value"])
def test_nothing_from_a_link_becomes_markup(where, hostile):
    at = opened(**({hostile: "1"} if where == "name" else {"init": hostile}))
    [block] = blocks(at, "gi-problems")
    [inside] = items(block)
    assert not set(inside) & set('<>"')


def test_an_unknown_parameter_is_named():
    [problem] = problems(opened(unknown="1"))
    assert "'unknown'" in problem and "width, depth" in problem


def test_a_fraction_of_a_layer_is_rounded_and_said():
    at = opened(depth="50.7")
    assert problems(at) == ["depth must be a whole number from 1 to 2000, got '50.7': 51 is used"]
    assert shown(at) == Experiment(depth=51)
    assert at.query_params["depth"] == "51"


def test_every_bad_value_gets_a_message_of_its_own_and_good_ones_stay():
    at = opened(width="1e9", depth="30", scale="nan", activation="foo", seed="abc", unknown="1")
    told = problems(at)
    assert len(told) == 5
    for name in ("width", "scale", "activation", "seed", "unknown"):
        assert any(name in problem.split(" must ")[0] for problem in told), name
    assert shown(at) == Experiment(depth=30)


def test_the_message_about_a_link_goes_once_the_viewer_moves_on():
    at = opened(width="1e9")
    widget(at, "depth").set_value(50).run()
    assert problems(at) == []


@pytest.mark.parametrize(("stop", "gain"), [("1/√n", 1), ("√(2/n)", 2)])
def test_the_lessons_scale_stays_right_when_the_width_changes(stop, gain):
    at = opened()
    at.button(key=f"scale_stop_{stop}").click().run()
    assert shown(at).scale == (gain / 512) ** 0.5
    for width in (64, 1024, 7):
        widget(at, "width").set_value(width).run()
        assert not at.exception
        assert shown(at).scale == (gain / width) ** 0.5
        assert pressed_stops(at) == [stop]
        assert widget(at, "scale").value == stop


@pytest.mark.parametrize("stop", ["1", "0.1", "0.01"])
def test_a_plain_scale_stop_is_that_number(stop):
    at = opened(scale="0.5")
    assert pressed_stops(at) == []
    at.button(key=f"scale_stop_{stop}").click().run()
    assert shown(at).scale == float(stop)
    assert pressed_stops(at) == [stop]


def test_the_answer_follows_the_scale():
    at = opened(scale="0.01")
    assert "vanishes" in answer(at)
    at.button(key="scale_stop_1/√n").click().run()
    assert "holds" in answer(at)
    widget(at, "scale").set_value(1.0).run()
    assert "explodes" in answer(at)


def test_relu_goes_on_and_off():
    at = opened()
    at.toggle(key="relu").set_value(True).run()
    assert widget(at, "activation").value == "relu" and shown(at) == Experiment(activation="relu")
    at.toggle(key="relu").set_value(False).run()
    assert shown(at) == Experiment()


def test_the_relu_switch_follows_the_list():
    at = opened(activation="tanh")
    assert at.toggle(key="relu").value is False
    widget(at, "activation").set_value("relu").run()
    assert at.toggle(key="relu").value is True


def test_choosing_nn_linear_brings_its_biases_and_another_rule_takes_them_back():
    at = opened(width="64", depth="20", activation="gelu")
    widget(at, "init").set_value("torch_linear").run()
    assert widget(at, "bias_std").value == "1/√(3n)"
    assert shown(at).bias_std == (1 / 192) ** 0.5
    widget(at, "width").set_value(128).run()
    assert shown(at).bias_std == (1 / 384) ** 0.5
    widget(at, "init").set_value("kaiming_normal").run()
    assert shown(at).bias_std == 0
    widget(at, "bias_std").set_value(0.1).run()
    widget(at, "init").set_value("torch_linear").run()
    assert shown(at).bias_std == 0.1  # the viewer's own


def test_an_old_link_of_nn_linear_is_as_it_was_and_offers_the_biases():
    at = opened(width="64", depth="20", init="torch_linear")
    assert shown(at) == Experiment(width=64, depth=20, init="torch_linear")
    assert any(
        "nn.Linear also draws a bias of std 0.0722" in words(b) for b in blocks(at, "gi-expected")
    )
    [button] = [button for button in at.button if button.label == "Add it"]
    button.click().run()
    assert shown(at).bias_std == (1 / 192) ** 0.5
    assert not [button for button in at.button if button.label == "Add it"]


def test_the_card_of_nn_linear_tells_its_factors_and_has_the_page_behind_a_click():
    at = opened(width="64", depth="20", init="torch_linear", activation="relu", weights="fresh")
    [card] = [words(body) for body in blocks(at, "gi-card") if "PyTorch Linear" in body]
    for told in ("× 0.408", significant((1 / (5 * 64)) ** 0.5), "kaiming_uniform_(a=√5)"):
        assert told in card
    [links] = [each.value for each in at.markdown if "Open such a network" in each.value]
    for query in re.findall(r"\(\?(.*?)\)", links):
        linked, problems = Experiment.from_query(dict(parse_qsl(query)))
        assert problems == [] and (linked.width, linked.activation) == (64, "relu")
    assert not any("What the call does" in each.value for each in at.markdown)
    at.session_state["why_sqrt_5"] = True
    at.run()
    assert any("What the call does" in each.value for each in at.markdown)
    widget(at, "init").set_value("xavier_uniform").run()
    assert not any("PyTorch Linear" in body for body in blocks(at, "gi-card"))


def test_a_class_that_is_to_guess_is_not_told_what_the_default_does():
    at = opened(init="torch_linear", weights="fresh", hide="theory")
    assert not any("PyTorch Linear" in body for body in blocks(at, "gi-card"))
    assert not any("nn.Linear also draws" in words(body) for body in blocks(at, "gi-expected"))


@pytest.mark.parametrize("name", ["torch_trunc_normal(0.02)", "sparse(kept=0.5)"])
def test_an_initialiser_with_a_number_comes_with_a_link(name):
    at = opened(width="64", depth="8", init=name)
    assert shown(at) == Experiment(width=64, depth=8, init=name)
    assert widget(at, "init").value == name
    assert name in widget(at, "init").options
    widget(at, "init").set_value("torch_linear").run()
    assert shown(at).init == "torch_linear" and not at.exception


def test_an_initialiser_that_is_not_accepted_is_named():
    at = opened(width="64", depth="8", init="sparse(7)")
    assert shown(at) == Experiment(width=64, depth=8)
    [told] = problems(at)
    assert "kept of sparse must be from 1e-06 to 1, got 7" in told


def test_a_formula_and_a_name_of_another_library_are_taken():
    at = opened(scale="5/3", activation="swish", bias_std="0,05", width="8", depth="4")
    assert shown(at) == Experiment(scale=5 / 3, activation="silu", bias_std=0.05, width=8, depth=4)
    assert problems(at) == ["activation 'swish' is called silu here"]
    assert widget(at, "activation").value == "silu" and widget(at, "scale").value == 5 / 3


def drawn_again(at):
    [button] = [button for button in at.button if button.label == "Draw again"]
    button.click().run()
    assert not at.exception
    return shown(at).seed


def test_draw_again_is_a_new_seed_each_time():
    at = opened()
    seeds = [shown(at).seed, drawn_again(at), drawn_again(at)]
    assert len(set(seeds)) == 3
    assert shown(at) == Experiment(seed=seeds[-1])  # and nothing else has changed
    assert widget(at, "seed").value == str(seeds[-1])


def test_a_seed_beyond_floating_point_is_kept_to_the_last_digit():
    assert shown(opened(seed=str(2**63 - 1))).seed == 2**63 - 1


def test_a_bad_seed_typed_in_is_named_and_leaves_when_mended():
    at = opened()
    widget(at, "seed").set_value("seven").run()
    [problem] = problems(at)
    assert problem.startswith("seed must be") and "seven" in problem
    widget(at, "seed").set_value("7").run()
    assert problems(at) == [] and shown(at).seed == 7


def test_a_run_over_the_limit_says_what_to_lower_and_keeps_the_controls(monkeypatch):
    monkeypatch.setenv("GOOD_INIT_MAX_MULTIPLY_ADDS", "1e7")
    at = opened(seed="20240229")  # a run that no other test has left in the cache
    [error] = at.error
    assert "lower width or depth" in error.value and "width is 512" in error.value
    assert blocks(at, "gi-answer") == []
    widget(at, "width").set_value(32).run()
    assert not at.error and not at.exception
    assert shown(at) == Experiment(width=32, seed=20240229)


def test_the_script_and_the_table_are_made_only_when_opened():
    at = opened(depth="3")
    assert not at.code and not at.dataframe
    at.session_state["link"] = at.session_state["script"] = at.session_state["table"] = True
    at.run()
    assert not at.exception
    link, script = (code.value for code in at.code)
    assert link.endswith("?" + "&".join(f"{k}={v}" for k, v in shown(at).to_query().items()))
    assert "import torch" in script
    table = at.dataframe[0].value
    assert list(table["layer k"]) == [0, 1, 2, 3] and list(table["i"])[1:] == [0, 1, 2]


def test_the_table_says_nan_where_x_is_nan():
    at = opened(depth="40")
    at.session_state["table"] = True
    at.run()
    table = at.dataframe[0].value
    assert table["std"][40] == "nan" and table["std"][28] == "5.271e37"
    assert table["NaN"][40] == "100.0%"


def test_what_is_taken_away_has_the_gradient_unless_it_is_hidden():
    for query, has in (({}, True), ({"hide": "gradient"}, False)):
        at = opened(width="16", depth="4", activation="relu", scale="√(2/n)", **query)
        at.session_state["script"] = at.session_state["table"] = True
        at.run()
        assert not at.exception
        table, e = at.dataframe[0].value, shown(at)
        assert at.code[0].value == to_script(e, backward=has).rstrip()
        assert ("δ: std" in table and "G: log2 rms" in table) == has
        assert ("&backward=true" in at.get("link_button")[0].proto.url) == has
        if has:
            back = backpropagate(e)
            assert table["δ: rms"][0] == significant(float(back.stats.rms[0]), digits=4)
            assert table["G: log2 rms"][0] == "nan" and table["G: zero"][1].endswith("%")


def test_a_step_works_out_the_cost_of_an_experiment_and_its_verdict_once(monkeypatch):
    at, costs, verdicts = opened(seed="20240301"), Counter(), []
    cost, kind_of = Layer.cost, verdict.kind_of

    def counted_cost(layer, shape, number_format):
        costs[layer, shape, number_format] += 1
        return cost(layer, shape, number_format)

    def counted_verdict(run):
        verdicts.append(run.experiment)
        return kind_of(run)

    monkeypatch.setattr(Layer, "cost", counted_cost)
    monkeypatch.setattr(verdict, "kind_of", counted_verdict)
    for depth in (70, 80, 70):  # the last answer is in the cache
        limits.cost.cache_clear()
        limits.backward_cost.cache_clear()
        costs.clear()
        verdicts.clear()
        widget(at, "depth").set_value(depth).run()
        assert not at.exception and shown(at).depth == depth
        assert verdicts == [shown(at)]
        assert {shape.depth for _, shape, _ in costs} >= {depth} and max(costs.values()) == 1


def test_the_style_sheet_of_figures_goes_with_the_page_and_not_with_every_figure():
    figures = [part.proto for part in opened().get("bidi_component")]
    figures = [proto for proto in figures if proto.component_name == "good_init_chart"]
    assert figures and not any(proto.css_content for proto in figures)
    assert ".gi-figure {" in page._CSS
