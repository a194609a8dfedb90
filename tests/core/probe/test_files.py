"""Report files: they read back equal, and nothing that anybody may write does any harm."""

import ast
import json
import math
import re
from functools import cache
from random import Random

import pytest
import torch
from torch.nn import functional as F

from core.probe.check import check
from core.probe.file import MOST_BYTES, ReportFileError, from_json, to_json
from core.probe.recorder import MOST_CALLS
from core.probe.report import Report

from .models import Call, mlp, normal, randn, residual

_TARGET = torch.arange(8) % 4
DEEP = "[" * 400 + "]" * 400
_VALUES = (
    *(10**20, -(10**20), 10**400, 2**53, 2**63, -1, 0, 1, 1.5, 5e-324, 1e308, -1e308, -0.0),
    *(float("nan"), float("inf"), float("-inf"), "nan", "inf", "-inf", "NaN", 5000, -5000, 4999.9),
    *(None, True, False, "", "<script>alert(1)</script>", "</style><script>", "\x00\x1b[31m\n"),
    *("'\"><script>", 'x"); import os; os.abort()  # ', "\\", "\ud800", "\u202e", "é" * 1000),
    *("a" * 1000, "a" * 100_000, ".".join("a" * 500), "." * 999, "#2", "relu()", "float16", "{0}"),
    *([], {}, [[]], [None] * 50, [2**53] * 5, [0], [1e400], {"a": {}}, json.loads(DEEP), "Linear"),
)
HOSTILE = tuple(map(json.dumps, _VALUES))


def texts_of(report):
    after = None if report.after is None else report.after.evidence
    return to_json(evidence=report.evidence, factors=report.factors, after=after)


@cache
def reports():
    batch = randn(8, 8)
    half = {"number_format": "float16", "target": _TARGET}
    small = {"loss": lambda y, t: 1e-4 * F.cross_entropy(y, t)}
    return (
        check(normal(mlp(3, 8, classes=4), 2**0.5), batch),
        check(normal(mlp(5, 128, classes=4)), randn(8, 128), target=_TARGET),
        check(normal(mlp(3, 8, classes=4)), batch, **half, **small),
        check(residual(4, 8), 1e9 * batch),
        check(normal(mlp(3, 8, classes=4)), 1e38 * batch),
    )


def test_reports_read_back_equal_also_with_sizes_that_are_no_numbers():
    # repr tells NaN from nothing, and every float in full.
    for report in reports():
        text = texts_of(report)
        assert repr(Report.read(text)) == repr(report) == repr(Report.read(text.encode()))
    assert '"nan"' in text and '"inf"' in text and "NaN" not in text and "Infinity" not in text
    assert reports()[1].factors and reports()[1].after is not None


def test_a_report_is_saved_and_read_as_a_file(tmp_path):
    report = reports()[1]
    report.save(tmp_path / "report.json")
    assert repr(Report.read((tmp_path / "report.json").read_bytes())) == repr(report)


@pytest.mark.parametrize("scale", [1e-6, 1e-30, 1e30])
def test_factors_of_any_size_read_back(scale):
    report = check(normal(mlp(20, 16)), scale * randn(8, 16))
    assert report.factors and repr(Report.read(texts_of(report))) == repr(report)


def test_numbers_at_the_end_of_float64_read_back():
    batch = torch.full((4, 8), 1.6e308, dtype=torch.float64)
    report = check(torch.nn.ReLU(), batch)
    assert repr(Report.read(texts_of(report))) == repr(report)


def test_a_report_of_more_additions_than_are_recorded_reads_back():
    def forward(self, x):
        for _ in range(MOST_CALLS + 1):
            x = x + 1e-6 * x
        return x

    report = check(Call(forward), randn(2, 2))
    assert repr(Report.read(texts_of(report))) == repr(report)


def use(report):
    """Everything that is made of a report; none of it may run anything or fail."""
    from core.probe.document import whole

    assert report.verdict and len(report.table) == len(report.evidence.rows)
    for step in ast.parse(report.lines).body:
        assert re.fullmatch(r"with torch\.no_grad\(\):", ast.unparse(step).splitlines()[0])
        for each in step.body:
            call = each.value
            assert ast.unparse(call.func.value.func) == "model.get_parameter"
            given = [*call.func.value.args, *call.args]
            assert call.func.attr == "mul_" and all(isinstance(x, ast.Constant) for x in given)
    page = whole(report)
    assert "<script" not in page.casefold()
    return page


def judged(text):
    """Whether a text is a report that can be used; else it was refused in one readable line."""
    try:
        report = Report.read(text)
    except ReportFileError as error:
        told = str(error)
        assert told.isprintable() and 0 < len(told) < 600, told
        return False
    use(report)
    return True


def places(tree, at=()):
    """The paths of everything inside of a JSON tree."""
    yield at
    if isinstance(tree, (dict, list)):
        for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
            yield from places(value, (*at, key))


def mutated(text, paths, random):
    tree = json.loads(text)
    for _ in range(random.choice((1, 1, 1, 2, 5))):
        *way, last = random.choice(paths)
        try:
            inside = tree
            for key in way:
                inside = inside[key]
            change = random.randrange(8)
            if change == 0:
                del inside[last]
            elif change == 1 and isinstance(inside, dict):
                inside[random.choice(("new", "<script>", last + "s"))] = inside.pop(last)
            elif change == 1:
                inside.insert(last, random.choice(inside))
            elif change == 2 and isinstance(inside[last], list):
                inside[last] = inside[last] * random.choice((2, 3))
            elif change == 3 and isinstance(inside[last], (int, float)):
                inside[last] = inside[last] * random.choice((-1, 0, 0.5, 2, 1000))
            else:
                inside[last] = json.loads(random.choice(HOSTILE))
        except (KeyError, IndexError, TypeError):  # an earlier mutation took the place away
            continue
    return json.dumps(tree)


def garbled(text, random):
    change, place = random.randrange(4), random.randrange(len(text))
    if change == 0:
        return text[:place]
    if change == 1:
        bits = bytearray(text.encode())
        for _ in range(random.choice((1, 3, 20))):
            bits[random.randrange(len(bits))] ^= 1 << random.randrange(8)
        return bytes(bits)
    if change == 2:
        return random.randbytes(random.randrange(300))
    return text[:place] + random.choice(("NaN", "1e400", "9" * 5000, DEEP, "\\u0000", '"')) + text


@pytest.mark.parametrize("seed", range(10))
def test_a_thousand_files_that_anybody_may_have_written(seed):
    random, accepted = Random(seed), 0
    texts = [texts_of(each) for each in reports()]
    paths = [[at for at in places(json.loads(text)) if at] for text in texts]
    # Most places are numbers of octaves: one in ten of them is enough.
    paths = [[at for at in each if "octaves" not in at[:-1] or at[-1] == 1] for each in paths]
    for k in range(1000):
        which = random.randrange(len(texts))
        if k % 4 == 0:
            accepted += judged(garbled(texts[which], random))
        else:
            accepted += judged(mutated(texts[which], paths[which], random))
    assert 30 < accepted < 900


def test_every_hostile_value_in_every_kind_of_field():
    text = texts_of(reports()[2])
    kinds = {}
    for at in places(json.loads(text)):
        kinds.setdefault(tuple(key for key in at if isinstance(key, str)), at)
    failed = []
    for *way, last in (at for at in kinds.values() if at and at[0] != "after"):
        for value in HOSTILE:
            tree = json.loads(text)
            inside = tree
            for key in way:
                inside = inside[key]
            inside[last] = json.loads(value)
            try:
                judged(json.dumps(tree))
            except Exception as error:
                failed.append(f"{last}={value[:40]}: {type(error).__name__}: {error}"[:150])
    assert failed == []


def test_files_beyond_the_bounds_are_refused():
    text = texts_of(reports()[0])
    for big in (text + " " * MOST_BYTES, text.encode() + b" " * MOST_BYTES):
        with pytest.raises(ReportFileError, match=f"at most {MOST_BYTES} bytes"):
            from_json(big)
    tree = json.loads(text)
    tree["evidence"]["inputs"] = [[1]] * (MOST_CALLS + 1)
    with pytest.raises(ReportFileError, match=r"evidence\.inputs must be a list of at most 4000"):
        from_json(json.dumps(tree))
    tree["evidence"]["inputs"] = [[1] * 600] * 2000
    with pytest.raises(ReportFileError, match="at most 1000000 values"):
        from_json(json.dumps(tree))


@pytest.mark.parametrize("opening, closing", ["[]", ('{"a":', "}")])
def test_a_file_of_any_depth_is_refused(opening, closing):
    text = texts_of(reports()[0])
    for depth in (1, 10, 100, *range(800, 1010), 100_000):
        deep = opening * depth + "1" + closing * depth
        assert not judged(text.replace('"seeds": 1', f'"seeds": {deep}'))
        assert not judged(text.replace('"zero": 0.0', f'"zero": {deep}'))


def test_a_file_of_another_kind_or_version_is_refused():
    for text in ("", "null", "[]", "1", '{"good_init_report": 2}', '{"good_init_report": "1"}'):
        assert not judged(text)
    assert not judged("{}")
    last = from_json(texts_of(reports()[4]))["evidence"].rows[-1]
    assert math.isnan(last.output.mean)
