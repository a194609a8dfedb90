import gzip
import json
import urllib.error
import urllib.request
from urllib.parse import quote

import pytest

from core import Experiment, backpropagate, propagate
from core.question.experiment import PARAMETERS
from core.reading.records import to_csv, to_json
from core.sweep import load, parse, sweep
from pages.figures.assets import MODULE_PATHS, PLOTLY_PATH
from tests.serving import ROOT

MEGABYTE = 2**20


def get(url):
    """Status, headers and body, whatever the status."""
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.headers, refusal.read()


def test_health_is_ok(address):
    status, _, body = get(f"{address}/health")
    assert (status, json.loads(body)) == (200, {"status": "ok"})


def test_csv_of_the_lesson_is_what_core_writes(address):
    status, headers, body = get(f"{address}/export.csv")
    assert status == 200 and headers.get_content_type() == "text/csv"
    assert len(body.decode().splitlines()) == 102  # a header and layers 0 … 100
    assert body.decode() == to_csv(propagate(Experiment()))


def test_csv_of_a_link_is_what_core_writes(address):
    experiment = Experiment(width=64, depth=30, scale=0.125, activation="relu", weights="fresh")
    query = "&".join(f"{name}={text}" for name, text in experiment.to_query().items())
    _, _, body = get(f"{address}/export.csv?{query}&device=cpu")
    assert body.decode() == to_csv(propagate(experiment))


@pytest.mark.parametrize("kind, write", [("csv", to_csv), ("json", to_json)])
def test_a_file_may_have_the_gradient_too(address, kind, write):
    e = Experiment(width=16, depth=6, activation="tanh", loss_scale=4.0)
    query = "&".join(f"{name}={text}" for name, text in e.to_query().items())
    _, _, body = get(f"{address}/export.{kind}?{query}&backward=true")
    assert body.decode() == write(backpropagate(e))
    _, _, body = get(f"{address}/export.{kind}?{query}&backward=false")
    assert body.decode() == write(propagate(e))
    status, _, body = get(f"{address}/export.{kind}?{query}&backward=yes")
    assert status == 422 and "backward must be true or false, got 'yes'" in body.decode()


def test_csv_comes_as_a_file_with_a_plain_name(address):
    _, headers, _ = get(f"{address}/export.csv?width=8&depth=2")
    name = headers.get_filename()
    assert name.endswith(".csv") and not set(name) & set("/\\\"' \n")


def test_json_of_the_lesson_has_its_events(address):
    status, headers, body = get(f"{address}/export.json")
    assert status == 200 and headers.get_content_type() == "application/json"
    document = json.loads(body)
    assert document["events"]["first_nonfinite"] == 28
    assert len(document["layers"]) == 101


def test_a_scale_may_be_named_as_in_the_lesson(address):
    _, _, body = get(f"{address}/export.json?width=64&depth=2&scale={quote('1/√n')}")
    assert json.loads(body)["experiment"]["scale"] == 0.125


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("width", "1e9"),
        ("width", "0"),
        ("depth", "50.7"),
        ("scale", "nan"),
        ("scale", "-1"),
        ("activation", "foo"),
        ("number_format", "<script>alert(1)</script>"),
        ("seed", "abc"),
        ("device", "cuda:99"),
    ],
)
def test_a_bad_query_is_refused_by_name(address, name, text):
    status, headers, body = get(f"{address}/export.csv?{name}={quote(text)}")
    assert status == 422
    assert body.decode().startswith(name)
    # As plain text no browser runs what the link has smuggled in.
    assert headers.get_content_type() == "text/plain"


@pytest.mark.parametrize("query", ["width=16384&batch_size=4096", "width=16384&weights=fresh"])
def test_a_run_over_the_limit_is_refused_with_what_to_lower(address, query):
    status, _, body = get(f"{address}/export.csv?{query}")
    assert status == 422
    assert "lower width" in body.decode()


@pytest.mark.parametrize("path", ["/export.exe", "/_stcore/metrics", "/_stcore/metrics/"])
def test_what_is_not_served_is_not_found(address, path):
    assert get(address + path)[0] == 404


def test_every_field_may_stand_in_an_export_link(address):
    experiment = Experiment(width=4, depth=2)
    query = "&".join(f"{name}={text}" for name, text in experiment.to_query().items())
    _, _, body = get(f"{address}/export.json?{query}")
    assert set(json.loads(body)["experiment"]) == set(PARAMETERS)


def test_plotly_is_served_once_and_small(address):
    status, headers, body = get(address + PLOTLY_PATH)
    assert status == 200
    assert headers["content-encoding"] == "gzip"
    assert "immutable" in headers["cache-control"]
    assert len(body) < 1.6 * MEGABYTE
    assert b"plotly.js v" in gzip.decompress(body)[:2000]


def test_our_modules_are_kept_for_good_and_never_missing(address):
    for name, path in MODULE_PATHS.items():
        status, headers, body = get(address + path)
        assert status == 200 and "immutable" in headers["cache-control"]
        assert headers.get_content_type() == "text/javascript"
        assert gzip.decompress(body) == (ROOT / "pages" / "figures" / name).read_bytes()
    other = get(f"{address}/assets/of-a-neighbour/chart.js")  # a host of another version asks
    assert other[0] == 200 and other[1]["cache-control"] == "no-store"
    assert get(f"{address}/assets/anything/explore.py")[0] == 404


def test_a_map_is_a_file_that_can_be_loaded(address, tmp_path):
    query = "x=scale=0.1..1:3&y=width=8,16&measure=log2_std&networks=2&depth=5&seed=4"
    expected = sweep(
        Experiment(depth=5, seed=4),
        {"scale": parse("scale=0.1..1:3").values, "width": [8, 16]},
        "log2_std",
        ensemble_size=2,
    )
    for kind, media in (("csv", "text/csv"), ("parquet", "application/vnd.apache.parquet")):
        status, headers, body = get(f"{address}/sweep.{kind}?{query}")
        assert status == 200 and headers["content-type"].startswith(media)
        name = f'filename="good-init-log2_std-scale-width.{kind}"'
        assert name in headers["content-disposition"]
        path = tmp_path / f"map.{kind}"
        path.write_bytes(body)
        found = load(path)
        assert found.base == expected.base and found.axes == expected.axes
        assert found.values.tobytes() == expected.values.tobytes()


@pytest.mark.parametrize(
    "query, words",
    [
        ("x=scale=1..2:97", "x must have at most 96 values"),
        ("x=colour=1", "there is no axis 'colour'"),
        ("y=width=0,1", "width must be a whole number from 1"),
        ("measure=beauty", "there is no measure 'beauty'"),
        ("networks=1e9", "networks must be a whole number from 1 to 64"),
        ("networks=64&x=scale=1..2:96&y=width=8..400:96", "at most 300000 rows, got '64'"),
        ("real=perhaps", "real must be true or false"),
        ("width=-4", "width must be a whole number"),
        (
            "real=true&width=16384&depth=2000&x=seed=1,2&y=scale=1,2&activation=tanh",
            "Too much to measure: about ",
        ),
    ],
)
def test_a_map_that_cannot_be_is_refused_in_words(address, query, words):
    status, _, body = get(f"{address}/sweep.csv?{query}")
    assert status == 422 and words in body.decode()
