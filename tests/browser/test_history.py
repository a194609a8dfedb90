"""Back and forward over pages: what is in the history stays, however quick the steps."""

from playwright.sync_api import expect

from tests.browser.on_screen import drawn, has_query, idle, step, visit

# A step, and the next one while the page that it leads to is still on its way.
TWICE = """way => { history[way](); setTimeout(() => history[way](), 100); }"""


def test_two_quick_steps_leave_the_page_between_as_it_was(page, address):
    visit(page, address, width="64", depth="30")
    page.get_by_role("link", name="Number formats", exact=True).click()
    heading = page.locator("h1").first
    expect(heading).to_contain_text("number formats")
    drawn(page)
    step(page, "Depth", "ArrowLeft")
    page.get_by_role("link", name="Lesson", exact=True).click()
    expect(page.locator(".gi-step")).to_be_visible()
    idle(page)
    entries = page.evaluate("history.length")
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 4})
    page.evaluate(TWICE, "back")
    expect(page.locator(".gi-verdict")).to_be_visible()
    drawn(page)
    has_query(page, {"width": "64", "depth": "30"})
    page.evaluate(TWICE, "forward")
    expect(page.locator(".gi-step")).to_be_visible()
    idle(page)
    expect(page).to_have_url(f"{address}/lesson")
    page.go_back()
    expect(heading).to_contain_text("number formats")
    drawn(page)
    has_query(page, {"width": "64", "depth": "29"})
    assert page.evaluate("location.pathname") == "/number-formats"
    assert page.evaluate("history.length") == entries and page.problems == []
