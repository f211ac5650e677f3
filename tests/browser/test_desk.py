"""A customer in the widget and two operators at the desk live through a case."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.desk_harness import PASSWORD, DeskHarness, axe

expect.set_options(timeout=20_000)
pytestmark = [pytest.mark.browser, pytest.mark.slow]
DESKTOP = {"viewport": {"width": 1440, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    with DeskHarness(tmp_path_factory.mktemp("desk")).running() as desk:
        yield desk


@pytest.fixture
def opened(chromium, desk):
    """Return a function that opens a page in a browser of its own; no script error may happen."""
    contexts, errors = [], []

    def opened(path, **settings):
        context = chromium.new_context(**{"locale": "de-DE", **DESKTOP, **settings})
        context.set_default_timeout(30_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(desk.url + path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def at_desk(opened):
    """Return a function that signs an operator in, who takes cases by hand."""

    def at_desk(name, **settings):
        page = opened("/desk", **settings)
        page.locator("[name=email]").fill(f"{name}@kontor.example")
        page.locator("[name=password]").fill(PASSWORD)
        page.locator("button.primary").click()
        is_ready(page)
        with page.expect_response("**/desk/presence"):
            page.locator("select[name=presence]").select_option("away")
        return page

    return at_desk


@pytest.fixture
def customer(opened, desk):
    """Return a customer whose chat is open, and the only one in the queue."""
    desk.close_cases()
    page = opened("/")
    page.locator("tresen-chat .launcher").click()
    return page


def say(page, text):
    field = page.get_by_role("textbox", name="Ihre Nachricht")
    field.fill(text)
    field.press("Enter")


def bubbles(page):
    return page.locator("tresen-chat .bubble")


def asks_for_a_person(customer, wish):
    say(customer, wish)
    expect(bubbles(customer).nth(1)).to_be_visible()
    say(customer, "ich möchte mit einem menschen sprechen")
    expect(bubbles(customer).filter(has_text="Kolleginnen")).to_be_visible()


def row(page):
    """Return the only case in the queue."""
    return page.locator("#queue .row")


def open_case(page):
    page.goto(re.sub(r"/desk.*", "/desk?tab=all", page.url))
    row(page).locator("a").click()
    expect(page.locator("#composer")).to_be_visible()
    is_ready(page)


def is_ready(page):
    """Wait until a page's scripts run."""
    expect(page.locator("body[data-ready]")).to_be_attached()


def write(page, text):
    page.locator("#text").fill(text)
    page.locator("#send").click()


def test_the_whole_life_of_a_case(customer, at_desk):
    anna, ben = at_desk("anna"), at_desk("ben", locale="en-GB")
    anna.locator(".tabs a").nth(1).click()
    asks_for_a_person(customer, "wo ist meine bestellung?")
    expect(row(anna)).to_be_visible()  # by itself
    expect(anna).to_have_title(re.compile(r"^\(\d+\)"))
    open_case(anna)
    open_case(ben)
    expect(ben.locator(".collision")).to_contain_text("Anna Weber")
    expect(anna.locator(".collision")).to_contain_text("Ben Okafor")
    expect(anna.locator("#summary")).to_contain_text("wo ist meine bestellung?")
    expect(anna.locator("#send")).to_be_disabled()

    anna.keyboard.press("t")
    expect(anna.locator(".state")).to_have_text("bei Ihnen")
    expect(bubbles(customer).filter(has_text="Anna Weber ist jetzt für Sie da")).to_be_visible()
    expect(ben.locator("#may")).to_contain_text("Anna Weber serves this conversation")
    expect(ben.locator("#send")).to_be_disabled()

    write(anna, "Guten Tag, <b>ich</b> sehe nach.")
    mine = bubbles(customer).filter(has_text="<b>ich</b> sehe nach")
    expect(mine).to_be_visible()
    say(customer, "danke, ich warte")
    expect(anna.locator("#log .customer").last).to_contain_text("danke, ich warte")
    expect(ben.locator("#log")).to_contain_text("sehe nach")

    ben.locator("[data-mode=note]").click()
    write(ben, "@Anna Weber, the parcel is in Hamburg")
    expect(anna.locator(".toast").filter(has_text="Ben Okafor")).to_be_visible()
    expect(anna.locator("#log .note")).to_contain_text("the parcel is in Hamburg")

    it_goes_to_ben(anna, ben, customer)


def it_goes_to_ben(anna, ben, customer):
    """Anna gives the case to Ben, who replies and closes it."""
    anna.locator("#bar [data-dialog=transfer]").click()
    anna.locator("#transfer [name=to]").select_option(label="Ben Okafor · Abwesend")
    anna.locator("#transfer [name=note]").fill("Bitte anrufen")
    anna.locator("#transfer .primary").click()
    expect(anna.locator(".toast").filter(has_text="Weitergegeben")).to_be_visible()
    expect(ben.locator(".state")).to_have_text("with you")
    expect(ben.locator("#log .note").last).to_contain_text("Bitte anrufen")
    ben.locator("[data-mode=reply]").click()
    write(ben, "Hello, Ben here.")
    expect(bubbles(customer).filter(has_text="Ben here")).to_be_visible()

    ben.locator("#bar [data-dialog=close]").click()
    ben.locator("#close .primary").click()
    expect(ben.locator(".state")).to_have_text("done")
    expect(bubbles(customer).filter(has_text="abgeschlossen")).to_be_visible()
    expect(bubbles(customer).filter(has_text="Bitte anrufen")).to_have_count(0)
    say(customer, "hallo")
    expect(bubbles(customer).last).to_contain_text(re.compile(r"Hallo|Guten"))


def test_a_network_that_drops_in_mid_sentence(customer, at_desk):
    anna = at_desk("anna")
    asks_for_a_person(customer, "ich brauche hilfe")
    open_case(anna)
    anna.locator("#bar [data-act=take]").click()
    expect(anna.locator(".state")).to_have_text("bei Ihnen")
    anna.context.set_offline(True)
    write(anna, "Erster Satz")
    write(anna, "Zweiter Satz")
    expect(anna.locator("#outgoing .pending")).to_have_count(2)
    expect(anna.locator("#trouble")).to_contain_text("Noch nicht gesendet")
    say(customer, "sind sie noch da?")
    anna.context.set_offline(False)
    expect(anna.locator("#outgoing .pending")).to_have_count(0, timeout=20_000)
    for text in ("Erster Satz", "Zweiter Satz"):
        expect(bubbles(customer).filter(has_text=text)).to_have_count(1)
    shown = bubbles(customer).all_inner_texts()
    assert shown.index("Erster Satz") < shown.index("Zweiter Satz")
    expect(anna.locator("#log")).to_contain_text("sind sie noch da?", timeout=20_000)

    anna.locator("#text").fill("ein halber Sa")
    anna.reload()
    is_ready(anna)
    expect(anna.locator("#text")).to_have_value("ein halber Sa")
    anna.locator("#text").fill("")
    anna.locator("#text").type("/gru")
    expect(anna.locator("#menu")).to_contain_text("Begrüßung")
    anna.keyboard.press("Enter")
    expect(anna.locator("#text")).to_have_value(re.compile(r"hier ist Anna Weber"))
    anna.keyboard.press("Enter")
    expect(bubbles(customer).filter(has_text="hier ist Anna Weber")).to_have_count(1)


def test_a_refusal_keeps_the_text(customer, at_desk):
    ben, anna = at_desk("ben"), at_desk("anna")
    asks_for_a_person(customer, "noch eine frage")
    open_case(ben)
    ben.locator("#bar [data-act=take]").click()
    expect(ben.locator("#send")).to_be_enabled()
    ben.route("**/desk/live*", lambda route: route.abort())  # hears of nothing any more
    ben.reload()
    is_ready(ben)
    open_case(anna)
    anna.locator("#bar [data-act=take]").click()  # as an admin she may
    expect(anna.locator(".state")).to_have_text("bei Ihnen")
    write(ben, "My answer")
    expect(ben.locator("#trouble")).to_contain_text("Your text is still here")
    expect(ben.locator("#text")).to_have_value("My answer")
    expect(ben.locator("#send")).to_be_disabled()
    assert bubbles(customer).filter(has_text="My answer").count() == 0


def test_on_a_phone(customer, at_desk):
    ben = at_desk("ben", **PHONE)
    asks_for_a_person(customer, "von unterwegs")
    ben.locator(".tabs a").nth(1).tap()
    row(ben).locator("a").tap()
    expect(ben.locator("#queue")).to_be_hidden()
    is_ready(ben)
    ben.locator("#bar [data-act=take]").tap()
    expect(ben.locator("#send")).to_be_enabled()
    ben.locator("#text").fill("Gleich!")
    ben.locator("#send").tap()
    expect(bubbles(customer).filter(has_text="Gleich!")).to_be_visible()
    ben.locator("[data-show=side]").tap()
    expect(ben.locator("#summary")).to_be_visible()
    expect(ben.locator("#text")).to_be_hidden()
    ben.locator("[data-show=talk]").tap()
    expect(ben.locator("#text")).to_be_visible()
    small = ben.locator("button:visible, select:visible, #bar a:visible").evaluate_all(
        "all => all.filter((b) => b.getBoundingClientRect().height < 34).map((b) => b.outerHTML)"
    )
    assert small == []
    for width in (320, 390):
        ben.set_viewport_size({"width": width, "height": 700})
        assert ben.evaluate("document.documentElement.scrollWidth") <= width
    assert axe(ben) == []
    ben.locator("#bar .back").tap()
    expect(ben.locator("#queue")).to_be_visible()
    assert axe(ben) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_for_axe(customer, at_desk, scheme):
    asks_for_a_person(customer, "das ist eine frechheit, ich bin sehr wütend!!")
    anna = at_desk("anna", color_scheme=scheme)
    assert axe(anna) == []
    open_case(anna)
    expect(anna.locator("#customer h2")).to_be_visible()
    for summary in anna.locator("details.why summary").all():
        summary.click()
    assert axe(anna) == []
    anna.locator("[data-mode=note]").click()
    anna.locator("#text").type("@b")
    assert axe(anna) == []
    for dialog in ("close", "keys"):
        anna.evaluate("id => document.getElementById(id).showModal()", dialog)
        assert axe(anna) == [], dialog
        anna.keyboard.press("Escape")
    for path in ("account", "people", "canned", "audit"):
        anna.goto(re.sub(r"/desk.*", f"/desk/{path}", anna.url))
        anna.evaluate("document.querySelectorAll('main details').forEach((d) => (d.open = true))")
        assert axe(anna) == [], path


def test_by_keys_alone(customer, at_desk):
    anna = at_desk("anna")
    asks_for_a_person(customer, "tastatur")
    anna.goto(re.sub(r"/desk.*", "/desk?tab=waiting", anna.url))
    expect(row(anna)).to_be_visible()
    is_ready(anna)
    anna.keyboard.press("?")
    expect(anna.locator("#keys")).to_be_visible()
    anna.keyboard.press("Escape")
    anna.keyboard.press("j")
    anna.keyboard.press("Enter")
    expect(anna.locator("#composer")).to_be_visible()
    is_ready(anna)
    anna.keyboard.press("t")
    expect(anna.locator(".state")).to_have_text("bei Ihnen")
    anna.keyboard.press("r")
    anna.keyboard.type("mit der Tastatur")
    anna.keyboard.press("Enter")
    expect(anna.locator("#log .operator").last).to_contain_text("mit der Tastatur")
    anna.keyboard.press("Escape")
    anna.keyboard.press("n")
    anna.keyboard.type("nur intern")
    anna.keyboard.press("Enter")
    expect(anna.locator("#log .note")).to_contain_text("nur intern")
    anna.keyboard.press("Escape")
    anna.keyboard.press("e")
    expect(anna.locator("#close")).to_be_visible()
    anna.keyboard.press("Enter")
    expect(anna.locator(".state")).to_have_text("erledigt")
    anna.keyboard.press("Escape")
    expect(anna.locator("#queue")).to_be_visible()
