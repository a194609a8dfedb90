"""Load and faults, small: the same functions that ``make load`` runs at full size."""

import pytest

from tests.load import long_visit
from tests.load.crowd import Plan, elsewhere
from tests.load.faults import hostile_links, leaving_in_mid_run, slow_reader
from tests.load.floods import one_address
from tests.load.loop import run_apart
from tests.load.truth import wrong
from tests.load.viewer import Viewer
from tests.serving import processes


@pytest.fixture(scope="module")
def app(served_rooms):
    with processes(1, GOOD_INIT_ROOMS=served_rooms) as [running]:
        yield running


def test_a_crowd_steps_without_errors_and_sees_the_right_numbers(app):
    report = elsewhere(Plan(app.address, viewers=10, seconds=4.0, ramp=1.0, pause=1.0))
    assert report.errors == []
    assert len(report.arrivals) == 10 and len(report.steps) >= 5
    assert len(report.screens) == 10 and wrong(report.screens) == []


def test_a_wrong_number_would_be_noticed():
    [told] = wrong([({"width": "64"}, "holds")])
    assert "64" in told and "explodes" not in told.split("not")[0]


@pytest.mark.parametrize(
    "fault",
    [
        lambda app: hostile_links(app, 30),
        leaving_in_mid_run,
        lambda app: slow_reader(app, 8),
    ],
    ids=["hostile links", "leaving in mid-run", "slow reader"],
)
def test_a_fault_harms_nobody_else(app, fault):
    outcome = fault(app)
    assert outcome.is_fine, f"{outcome.done}: {outcome.seen}"


def test_a_flood_from_one_address_is_counted_and_another_class_goes_on(
    app, served_rooms, monkeypatch
):
    monkeypatch.setenv("GOOD_INIT_ROOMS", served_rooms)
    *bounded, another_class = one_address(app, cookies=10, seconds=0.5)
    assert len(bounded) == 4
    for outcome in bounded:
        assert outcome.is_fine, f"{outcome.done}: {outcome.seen}"
    assert another_class.seen.endswith(", 0 errors")


def test_a_long_visit_has_no_errors(app):
    seen = long_visit.visit(app, 30)
    assert seen.errors == [] and seen.grown < 100


async def _kept(address):
    async with Viewer(address, {}) as viewer:
        await viewer.arrive()
        await viewer.step("scale", "0.1")
        return viewer.kept


def test_no_answer_relies_on_what_a_page_has_kept(app):
    """A page that asked again before a late answer came has forgotten it, and Streamlit ends it."""
    assert run_apart(_kept(app.address)) == []


async def _back_with_a_step(address):
    async with Viewer(address, {"width": "64"}) as viewer:
        await viewer.arrive()
        viewer.forget_session()
        viewer.vanish()
        await viewer.connect()
        answer = await viewer.step("scale", "0.1")
        return answer.exceptions, (viewer.query, viewer.verdict)


def test_a_step_is_answered_by_a_process_that_never_saw_the_viewer(app):
    exceptions, screen = run_apart(_back_with_a_step(app.address))
    assert exceptions == [] and screen[0]["scale"] == "0.1"
    assert wrong([screen]) == []
