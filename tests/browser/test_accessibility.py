"""axe-core on the page: it finds nothing, in any theme or size, of any impact."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.on_screen import eventually, visit

# Taller than the page: axe judges the contrast of what is on screen, and the page scrolls inside.
VIEWS = {
    "light": {"color_scheme": "light", "viewport": {"width": 1440, "height": 2600}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1440, "height": 2600}},
    "phone": {"viewport": {"width": 390, "height": 4000}, "has_touch": True, "is_mobile": True},
}


def findings(page):
    """What axe-core objects to: rule, impact, and for each node where and why."""
    return [
        (violation["id"], violation["impact"], node["target"], node["failureSummary"])
        for violation in Axe().run(page).response["violations"]
        for node in violation["nodes"]
    ]


def nothing_found(page):
    """axe-core comes to object to nothing: what fades in has too little contrast half-way."""

    def passes():
        assert findings(page) == []

    eventually(passes)


def found_in(page, words):
    """That axe looks at the words with this selector at all, in this theme: it finds bad ones."""
    page.add_style_tag(content=f"{words} {{ color: #999999; background: #808080; }}")

    def objects():
        assert "color-contrast" in {rule for rule, *_ in findings(page)}

    eventually(objects)


@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing_with_every_control_open(visitor, address, view):
    page = visit(visitor(**VIEWS[view]), address, depth="50.7")
    page.locator("summary", has_text="More").click()
    expect(page.get_by_label("Number format").first).to_be_visible()
    page.get_by_label("Save the figure").first.click()
    nothing_found(page)
    found_in(page, ".gi-checks")
