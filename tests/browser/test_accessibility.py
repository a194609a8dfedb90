"""axe-core on the page: it finds nothing, in any theme or size, of any impact."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.on_screen import visit

# Taller than the page: axe judges the contrast of what is on screen, and the page scrolls inside.
VIEWS = {
    "light": {"color_scheme": "light", "viewport": {"width": 1440, "height": 2600}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1440, "height": 2600}},
    "phone": {"viewport": {"width": 390, "height": 4000}, "has_touch": True, "is_mobile": True},
}


# Rule -> the part that may break it. The label of a control that is switched off need not be
# readable (WCAG 1.4.3), but Streamlit hides that it is a label, and axe cannot know.
ALLOWED = {"color-contrast": ".st-key-device"}


def _allowed(page, rule, target):
    part = ALLOWED.get(rule)
    within = "(node, part) => node.closest(part) !== null"
    return part is not None and page.locator(target[0]).first.evaluate(within, part)


def findings(page):
    """What axe-core objects to: rule, impact, and for each node where and why."""
    return [
        (violation["id"], violation["impact"], node["target"], node["failureSummary"])
        for violation in Axe().run(page).response["violations"]
        for node in violation["nodes"]
        if not _allowed(page, violation["id"], node["target"])
    ]


@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing_with_every_control_open(visitor, address, view):
    page = visit(visitor(**VIEWS[view]), address, depth="50.7")
    page.locator("summary", has_text="More").click()
    page.get_by_label("Save this figure").first.click()
    page.wait_for_timeout(500)  # an expander fades in; half-way its contrast is too low
    assert findings(page) == []
    # That it looked at our words at all, in this theme.
    page.add_style_tag(content=".gi-checks { color: #999999; background: #808080; }")
    assert "color-contrast" in {rule for rule, *_ in findings(page)}
