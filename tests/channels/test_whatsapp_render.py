"""WhatsApp: messages as Meta takes them, checked by Meta's documented limits."""

import json
import operator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.messages import Attachment, Button, Card, OutboundMessage
from channels.whatsapp_render import render
from tests.platforms.meta_rules import Template, check_message

CUSTOMER = "4915112345678"
IMAGE = "https://shop.example/parka.jpg"


class Everything(set):
    """A catalogue that has every product."""

    def __ge__(self, other):
        return True


CATALOG = {"77": Everything()}
TEMPLATES = {"hello": Template(["de"], ["text"], "image", 1)}


def shown(message, **options):
    payloads = render(message, CUSTOMER, **options)
    for payload in payloads:
        check_message(payload, TEMPLATES, CATALOG)
    return payloads


def buttons(count, title="Knopf", payload="/p"):
    return tuple(Button(f"{title} {i}", f"{payload}{i}") for i in range(count))


interactive = operator.itemgetter("interactive")


class TestText:
    def test_plain(self):
        (payload,) = shown(OutboundMessage("Guten Tag 👋"))
        assert payload == {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": CUSTOMER,
            "type": "text",
            "text": {"preview_url": False, "body": "Guten Tag 👋"},
        }

    def test_person_who_hides_the_number(self):
        (payload,) = render(OutboundMessage("Hi"), "US.ENT.11815799212886844830")
        assert payload["recipient"] == "US.ENT.11815799212886844830"
        assert "to" not in payload

    def test_long_text_is_split_at_sentences(self):
        payloads = shown(OutboundMessage("Das ist ein Satz. " * 600))
        bodies = [payload["text"]["body"] for payload in payloads]
        assert len(bodies) == 3
        assert all(body.endswith("Satz.") for body in bodies)

    def test_answer_to_a_message(self):
        message = OutboundMessage("x" * 5000, custom={"reply_to": "wamid.7"})
        first, second = shown(message)
        assert first["context"] == {"message_id": "wamid.7"}
        assert "context" not in second

    @pytest.mark.parametrize(
        "text", ["שלום, איפה החבילה?", "مرحبا 👋🏽", "👩‍👩‍👧‍👦" * 800, "\n\n \n"]
    )
    def test_any_script(self, text):
        bodies = [payload["text"]["body"] for payload in shown(OutboundMessage(text))]
        assert "".join(bodies) == text.strip()


class TestButtons:
    def test_three(self):
        (payload,) = shown(OutboundMessage("Ja?", buttons=buttons(3)))
        replies = interactive(payload)["action"]["buttons"]
        assert [item["reply"]["id"] for item in replies] == ["/p0", "/p1", "/p2"]

    def test_ten_become_a_list(self):
        message = OutboundMessage("Welche?", buttons=buttons(10), language="de")
        (payload,) = shown(message)
        assert interactive(payload)["type"] == "list"
        assert interactive(payload)["action"]["button"] == "Auswählen"
        assert len(interactive(payload)["action"]["sections"][0]["rows"]) == 10

    def test_long_titles_become_rows_with_descriptions(self):
        title = "Regenjacke Nieselpriem, gelb, Größe M"
        (payload,) = shown(OutboundMessage("Welche?", buttons=(Button(title, "/a"),)))
        (row,) = interactive(payload)["action"]["sections"][0]["rows"]
        assert (row["id"], row["description"]) == ("/a", title)
        assert len(row["title"]) <= 24

    @pytest.mark.parametrize(
        "given",
        [
            buttons(11),
            buttons(4, payload="/p" * 100),
            (Button("a", "/x"), Button("b", "/x")),
            (Button("a", "p" * 257),),
            (Button("a", "/x "),),
            (Button("x" * 73, "/x"),),
            (Button(" ", "/x"), Button("b", "/y")),
        ],
    )
    def test_what_does_not_fit_is_numbered_and_nothing_is_cut(self, given):
        (payload,) = shown(OutboundMessage("Welche?", buttons=given))
        body = payload["text"]["body"]
        for number, button in enumerate(given, start=1):
            assert f"{number}. {button.title}".rstrip() in body

    def test_long_text_goes_ahead(self):
        text = "Das ist ein Satz. " * 300
        *ahead, last = shown(OutboundMessage(text, buttons=buttons(2)))
        bodies = [payload["text"]["body"] for payload in ahead]
        bodies.append(interactive(last)["body"]["text"])
        assert " ".join(bodies) == text.strip()

    def test_buttons_without_text_get_a_prompt(self):
        (payload,) = shown(OutboundMessage(buttons=buttons(2), language="de"))
        assert interactive(payload)["body"]["text"] == "Bitte wählen Sie:"


class TestPictures:
    def test_caption(self):
        (payload,) = shown(OutboundMessage("Ein Parka", image_url=IMAGE))
        assert payload["image"] == {"link": IMAGE, "caption": "Ein Parka"}

    def test_with_buttons(self):
        (payload,) = shown(OutboundMessage("Ein Parka", image_url=IMAGE, buttons=buttons(2)))
        assert interactive(payload)["header"] == {"type": "image", "image": {"link": IMAGE}}

    def test_with_a_list(self):
        first, second = shown(OutboundMessage("?", image_url=IMAGE, buttons=buttons(5)))
        assert first["image"] == {"link": IMAGE}
        assert interactive(second)["type"] == "list"

    def test_our_own_addresses_are_completed(self):
        message = OutboundMessage("Ein Parka", image_url="/shop/images/p.png")
        (payload,) = shown(message, public_url="https://bot.example")
        assert payload["image"]["link"] == "https://bot.example/shop/images/p.png"

    @pytest.mark.parametrize(
        "url", ["/p.png", "http://shop.example/p.png", "https://x.example/p.svg"]
    )
    def test_what_meta_cannot_show_leaves_the_words(self, url):
        (payload,) = shown(OutboundMessage("Ein Parka", image_url=url))
        assert payload["text"]["body"] == "Ein Parka"


class TestCards:
    def test_picture_words_and_buttons(self):
        card = Card("Parka", "warm", "89,00 €", IMAGE, buttons=buttons(2))
        words, payload = shown(OutboundMessage("Wie wäre es damit:", cards=(card,)))
        assert words["text"]["body"] == "Wie wäre es damit:"
        assert interactive(payload)["body"]["text"] == "Parka – 89,00 €\nwarm"
        assert interactive(payload)["header"]["image"]["link"] == IMAGE

    def test_address_becomes_a_button(self):
        card = Card("Parka", image_url=IMAGE, url="https://shop.example/parka")
        (payload,) = shown(OutboundMessage(cards=(card,), language="de"))
        parameters = {"display_text": "Ansehen", "url": "https://shop.example/parka"}
        assert interactive(payload)["action"] == {"name": "cta_url", "parameters": parameters}

    def test_plain_cards_become_one_text(self):
        (payload,) = shown(OutboundMessage(cards=(Card("Parka"), Card("Mantel", price="1 €"))))
        assert payload["text"]["body"] == "1. Parka\n2. Mantel – 1 €"

    def test_buttons_of_the_message_follow_its_cards(self):
        cards = (Card("Parka", image_url=IMAGE),)
        payloads = shown(OutboundMessage("Hier:", cards=cards, buttons=buttons(2)))
        assert [payload["type"] for payload in payloads] == ["text", "image", "interactive"]

    def test_past_the_tenth_they_are_words(self):
        cards = tuple(Card(f"Parka {i}", image_url=IMAGE, buttons=buttons(1)) for i in range(12))
        payloads = shown(OutboundMessage(cards=cards))
        assert [payload["type"] for payload in payloads] == ["interactive"] * 10 + ["text"] * 2
        assert "1. Knopf 0" in payloads[-1]["text"]["body"]


class TestOtherContents:
    def test_link_button(self):
        link = {"display_text": "Jetzt bezahlen und fertig", "url": "https://pay.example/x"}
        (payload,) = shown(OutboundMessage("Bitte zahlen.", custom={"cta_url": link}))
        assert interactive(payload)["body"]["text"] == "Bitte zahlen."
        assert interactive(payload)["action"]["parameters"]["url"] == "https://pay.example/x"

    def test_files_and_places(self):
        files = (
            Attachment("file", "https://shop.example/r.pdf", name="Rechnung.pdf"),
            Attachment("location", "geo:52.5,13.4", name="Laden"),
            Attachment("file", "http://intern/r.pdf", name="Rechnung.pdf"),
            Attachment("audio", "https://shop.example/a.ogg"),
        )
        document, place, words, audio = shown(OutboundMessage(attachments=files))
        assert document["document"]["filename"] == "Rechnung.pdf"
        assert place["location"] == {"latitude": "52.5", "longitude": "13.4", "name": "Laden"}
        assert words["text"]["body"] == "Rechnung.pdf\nhttp://intern/r.pdf"
        assert audio["audio"] == {"link": "https://shop.example/a.ogg"}

    def test_one_product(self):
        message = OutboundMessage(
            "Der Parka:", custom={"products": ["A-1"]}, cards=(Card("Parka"),)
        )
        (payload,) = shown(message, catalog_id="77")
        action = {"catalog_id": "77", "product_retailer_id": "A-1"}
        assert interactive(payload) == {
            "type": "product",
            "action": action,
            "body": {"text": "Der Parka:"},
        }

    def test_many_products(self):
        message = OutboundMessage("Diese:", custom={"products": [f"A-{i}" for i in range(31)]})
        first, second = shown(message, catalog_id="77")
        items = interactive(first)["action"]["sections"][0]["product_items"]
        assert (len(items), interactive(second)["type"]) == (30, "product_list")

    def test_products_without_a_catalogue_are_cards(self):
        message = OutboundMessage("Diese:", custom={"products": ["A"]}, cards=(Card("Parka"),))
        words, card = shown(message)
        assert (words["text"]["body"], card["text"]["body"]) == ("Diese:", "1. Parka")

    def test_template(self):
        header = {"type": "image", "image": {"link": IMAGE}}
        template = {
            "name": "hello",
            "language": "de",
            "parameters": ["Ada\nund Co."],
            "header": header,
            "buttons": ["/x"],
        }
        (payload,) = shown(OutboundMessage("ungesagt", custom={"template": template}))
        components = payload["template"]["components"]
        assert [component["type"] for component in components] == ["header", "body", "button"]
        assert components[1]["parameters"] == [{"type": "text", "text": "Ada und Co."}]


words = st.text(max_size=90)
urls = st.sampled_from(["", IMAGE, "/p.png", "https://x.example/p.svg", "http://y", "https://["])
some_buttons = st.lists(
    st.builds(Button, words, st.one_of(words, st.just("/p"), st.text(min_size=150, max_size=300))),
    max_size=12,
).map(tuple)
cards = st.lists(st.builds(Card, words, words, words, urls, urls, some_buttons), max_size=12).map(
    tuple
)
attachments = st.lists(
    st.builds(
        Attachment,
        st.sampled_from(["image", "audio", "video", "file", "location"]),
        urls | st.just("geo:1.5,-2"),
        words,
    ),
    max_size=3,
).map(tuple)
customs = st.fixed_dictionaries(
    {},
    optional={
        "products": st.lists(st.text(min_size=1, max_size=9), max_size=35) | words,
        "cta_url": st.fixed_dictionaries({"display_text": words, "url": urls}) | words,
        "reply_to": words,
        "template": words,
        "other": words,
    },
)
messages = st.builds(
    OutboundMessage,
    text=words | st.text(min_size=900, max_size=1200) | st.just("Ein Satz. " * 900),
    buttons=some_buttons,
    cards=cards,
    image_url=urls,
    attachments=attachments,
    custom=customs,
    language=st.sampled_from(["de", "en", "de-AT", "", "fr"]),
)


@settings(deadline=None, max_examples=150)
@given(messages, st.sampled_from(["", "77"]))
def test_meta_takes_every_message_and_no_payload_is_cut(message, catalog_id):
    payloads = shown(message, catalog_id=catalog_id)
    assert payloads == render(message, CUSTOMER, catalog_id=catalog_id)
    json.dumps(payloads)
    offered = {button.payload for button in message.buttons}
    offered |= {button.payload for card in message.cards for button in card.buttons}
    for payload in payloads:
        action = payload.get("interactive", {}).get("action", {})
        ids = [item["reply"]["id"] for item in action.get("buttons", ())]
        for section in action.get("sections", ()):
            ids += [row["id"] for row in section.get("rows", ())]
        assert set(ids) <= offered
