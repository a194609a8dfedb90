"""axe-core on the page: nothing serious in what we wrote, in any theme or size."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.on_screen import visit

VIEWS = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
}
GRAVE = {"serious", "critical"}
# Streamlit's own markup, which a page cannot change: (rule, start of the selector).
ALLOWED = ()


def findings(page):
    """(rule, selector, what is wrong) of every node that axe calls serious or critical."""
    violations = Axe().run(page).response["violations"]
    return [
        (violation["id"], str(node["target"][-1]), node["failureSummary"])
        for violation in violations
        if violation["impact"] in GRAVE
        for node in violation["nodes"]
    ]


def allowed(finding):
    rule, selector, _ = finding
    return any(rule == known and selector.startswith(start) for known, start in ALLOWED)


@pytest.mark.parametrize("view", VIEWS)
def test_nothing_on_the_page_is_out_of_reach(visitor, address, view):
    page = visit(visitor(**VIEWS[view]), address, depth="50.7")
    page.locator("summary", has_text="More").click()
    page.get_by_label("Save this figure").first.click()
    page.wait_for_timeout(500)  # an expander fades in; half-way its contrast is too low
    assert [finding for finding in findings(page) if not allowed(finding)] == []
