"""The demo shop's pages and the widget's looks: phone, dark, themed, embedded."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


@pytest.fixture
def visit(chromium, harness):
    """Return a function that opens the shop as a visitor with these settings."""
    contexts = []

    def visit(path="/", **settings):
        context = chromium.new_context(**{"locale": "de-DE", **settings})
        context.set_default_timeout(5000)
        contexts.append(context)
        page = context.new_page()
        page.goto(harness.url + path)
        return page

    yield visit
    for context in contexts:
        context.close()


PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


@pytest.mark.parametrize("path", ["/", "/shop/p/P2", "/shop/help"])
def test_no_page_scrolls_sideways(visit, path):
    page = visit(path)
    expect(page.locator("tresen-chat .launcher")).to_be_visible()
    for width in (320, 390, 768, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_on_a_phone_the_chat_fills_the_screen(visit):
    page = visit(**PHONE, reduced_motion="reduce")
    page.locator("tresen-chat .launcher").tap()
    panel = page.get_by_role("dialog")
    expect(panel).to_be_visible()
    assert panel.bounding_box() == {"x": 0, "y": 0, "width": 390, "height": 844}
    small = panel.get_by_role("button").evaluate_all(
        "all => all.filter((b) => b.getBoundingClientRect().height < 38).length"
    )
    assert small == 0


def contrast(page, selector):
    """Return the contrast ratio of an element's text with its own background."""
    return page.locator(f"tresen-chat {selector}").first.evaluate(
        """(node) => {
            const style = getComputedStyle(node);
            const light = (color) => {
                const parts = color.match(/[\\d.]+/g).slice(0, 3).map((p) => p / 255)
                    .map((p) => (p <= 0.04045 ? p / 12.92 : ((p + 0.055) / 1.055) ** 2.4));
                return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
            };
            const [a, b] = [light(style.color), light(style.backgroundColor)].sort((x, y) => y - x);
            return (a + 0.05) / (b + 0.05);
        }"""
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_readable_in_both_schemes(visit, scheme):
    page = visit(color_scheme=scheme)
    page.locator("tresen-chat .launcher").click()
    page.get_by_role("textbox", name="Ihre Nachricht").fill("Hallo")
    page.keyboard.press("Enter")
    expect(page.locator("tresen-chat .theirs .bubble")).to_have_count(2)
    for selector in (".mine .bubble", ".theirs .bubble", "header", "textarea"):
        assert contrast(page, selector) >= 4.5, selector
    dark = page.locator("tresen-chat .panel").evaluate("p => getComputedStyle(p).backgroundColor")
    assert (dark == "rgb(22, 29, 31)") == (scheme == "dark")


def test_reduced_motion_stops_the_animations(visit):
    page = visit(reduced_motion="reduce")
    page.locator("tresen-chat .launcher").click()
    panel = page.get_by_role("dialog")
    assert panel.evaluate("panel => getComputedStyle(panel).animationName") == "none"


def test_css_variables_theme_the_widget(visit):
    page = visit()
    page.evaluate(
        "document.documentElement.style.setProperty('--tresen-accent', 'rgb(120, 20, 90)')"
    )
    launcher = page.locator("tresen-chat .launcher")
    expect(launcher).to_have_css("background-color", "rgb(120, 20, 90)")


def test_another_shops_page_embeds_it_with_one_tag(visit, harness):
    page = visit()
    page.goto(f"{harness.other_site}/embedding")
    page.get_by_role("button", name="Open chat").click()
    expect(page.get_by_role("dialog", name="My help")).to_be_visible()
    page.get_by_role("button", name="Where is my order?").click()
    expect(page.locator("tresen-chat .theirs .bubble").last).to_have_text(
        "Echo: Where is my order?"
    )
    assert page.locator("tresen-chat").bounding_box()["x"] < 50


def test_things_to_try_open_the_chat_and_ask(visit):
    page = visit()
    page.get_by_role("button", name="Zurückgeben").click()
    expect(page.locator("tresen-chat .mine .bubble")).to_have_text(["buttons"])
    expect(page.get_by_role("button", name="Ja, bitte")).to_be_visible()


def test_language_switch_changes_page_and_widget(visit):
    page = visit()
    page.get_by_role("link", name="EN", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Good things, well explained.")
    page.get_by_role("button", name="Open chat").click()
    expect(page.get_by_role("textbox", name="Your message")).to_be_visible()
    page.goto(page.url.split("?", 1)[0])
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_help_opens_at_the_question(visit):
    page = visit("/shop/help#costs")
    expect(page.locator("#costs:target")).to_be_in_viewport()
