"""A photo in conversation: it finds what looks like it, and elsewhere stays what it was."""

import io

import msgspec
import pytest

from knowledge.image_index import ImageIndex
from tests.conversations.talk import ROOT, Talk

pillow = pytest.importorskip("PIL.Image", reason="needs the extra vision")
resvg = pytest.importorskip("resvg_py", reason="needs the extra vision")
JACKET = "P1001"


@pytest.fixture(scope="module")
def talk(tmp_path_factory):
    talk = Talk(tmp_path_factory.mktemp("photo_talk"))
    services = talk.bot.services
    some = [p for p in services.library.products if p.category in {"jackets", "lighting"}]
    services.photos.search.index.ingest(some)
    yield talk
    talk.close()


@pytest.fixture
def customer(talk):
    return talk.customer()


def photo_of(product_id, library):
    image = library.product(product_id).image
    drawing = (ROOT / "data" / "demo_shop" / image).read_text(encoding="utf-8")
    drawn = bytes(resvg.svg_to_bytes(svg_string=drawing, width=400, height=400))
    held = io.BytesIO()
    opened = pillow.open(io.BytesIO(drawn)).convert("RGB")
    opened.crop((30, 30, 380, 370)).save(held, "JPEG", quality=60)
    return held.getvalue()


@pytest.fixture(scope="module")
def send(talk):
    def sent(body=None, name="x.jpg"):
        body = body or photo_of(JACKET, talk.bot.services.library)
        return talk.bot.uploads.save("visitor", name, body).url

    return sent


def found(customer):
    return [card.url.rsplit("/", 1)[-1] for message in customer.heard for card in message.cards]


def test_a_photo_without_words_finds_what_looks_like_it(customer, send, talk):
    customer.says("", send())
    assert customer.asked("utter_photo_found"), customer.transcript
    assert JACKET in found(customer)
    library = talk.bot.services.library
    assert {library.product(name).category for name in found(customer)} == {"jackets"}


@pytest.mark.parametrize(
    "text", ["habt ihr sowas?", "gibt es das auch in blau?", "do you have this?"]
)
def test_words_that_ask_for_it_do_the_same(customer, send, text):
    customer.says(text, send())
    assert customer.asked("utter_photo_found"), customer.transcript


def test_limits_in_the_words_hold_and_follow_ups_narrow(customer, send):
    customer.says("this in blue under 190 euros", send())
    assert customer.asked("utter_photo_found"), customer.transcript
    prices = [card.price for message in customer.heard for card in message.cards]
    assert all(float(price.strip("€\xa0")) <= 190 for price in prices)
    customer.says("under 150 euros")
    assert customer.asked("utter_photo_found", "utter_photo_limits"), customer.transcript


def test_when_nothing_fits_the_limits_it_says_so(customer, send):
    customer.says("das in blau unter 20 Euro", send())
    assert customer.asked("utter_photo_limits"), customer.transcript
    assert "blau, bis 20,00" in customer.heard[0].text


def test_what_looks_like_nothing_here_is_said(customer, send):
    held = io.BytesIO()
    pillow.effect_noise((300, 300), 90).save(held, "PNG")
    customer.says("", send(held.getvalue()))
    assert customer.asked("utter_photo_nothing"), customer.transcript


@pytest.mark.parametrize(
    ("body", "response"),
    [
        (b"\xff\xd8\xff\xe0 cut off", "utter_photo_unreadable"),
        (b"%PDF-1.7", "utter_attachment_about"),
    ],
)
def test_a_file_that_is_no_picture_is_told(customer, send, body, response):
    customer.says("", send(body))
    assert customer.asked(response), customer.transcript


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "https://elsewhere.example/x.jpg",
        "file:///etc/passwd",
        "/webhooks/webchat/uploads/../../tresen.sqlite3?sig=x",
        "http://127.0.0.1:8080/media/abc?sig=wrong",
    ],
)
def test_no_other_address_is_read(customer, url, monkeypatch):
    monkeypatch.setattr("bot.photos.FETCH_WAIT_S", 0.5)
    customer.says("habt ihr sowas?", url)
    assert customer.asked("utter_photo_gone"), customer.transcript


def test_a_photo_of_damage_stays_one(customer, send):
    customer.says("Meine Jacke kam beschädigt an", send())
    assert not customer.asked("utter_photo_found"), customer.transcript
    assert customer.asked("utter_sorry_damaged"), customer.transcript


def test_a_photo_within_a_return_is_kept(customer, send):
    customer.says("Ich will etwas zurückgeben")
    customer.says("", send())
    assert customer.asked("utter_attachment_kept"), customer.transcript


def test_it_can_be_asked_for_before_there_is_a_photo(customer, send):
    customer.says("Kann ich mit einem Foto suchen?")
    assert customer.asked("utter_photo_ask"), customer.transcript
    customer.says("", send())
    assert customer.asked("utter_photo_found"), customer.transcript


def test_without_the_extra_it_is_as_before(talk, customer, send):
    services, photos = talk.bot.services, talk.bot.services.photos
    msgspec.structs.force_setattr(services, "photos", None)
    try:
        customer.says("", send())
        assert customer.asked("utter_attachment_about"), customer.transcript
        customer.says("Kann ich mit einem Foto suchen?")
        assert customer.asked("utter_photo_off"), customer.transcript
    finally:
        msgspec.structs.force_setattr(services, "photos", photos)


def test_an_index_without_pictures_counts_as_none(talk, customer, send, tmp_path):
    search = talk.bot.services.photos.search
    full, search.index = search.index, ImageIndex(tmp_path, tmp_path, search.index._encoder)
    try:
        customer.says("", send())
        assert customer.asked("utter_attachment_about"), customer.transcript
    finally:
        search.index = full
