"""What a page makes of a link that is not quite its own."""

from core import Experiment
from tests.pages.test_explore import opened, problems, shown


def test_explore_has_nothing_to_say_to_the_room_of_a_poll():
    at = opened(depth="60", room="ACDEFG")
    assert problems(at) == [] and shown(at) == Experiment(depth=60)


def test_a_link_that_opens_nothing_is_called_a_link():
    at = opened(open="nonsense")
    [told] = problems(at)
    assert told.startswith("a link must be field:value,") and "'nonsense'" in told
    assert shown(at) == Experiment()
