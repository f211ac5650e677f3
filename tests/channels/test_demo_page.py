import re
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from channels.demo_page import DemoPages, Storefront, TryThis
from channels.demo_texts import local, money, pick_language
from knowledge.sources import SourceDirs, read_shop
from tests.browser.harness import storefront

HOSTILE = "<script>alert(1)</script>"


def visitor(shop: Storefront, images=None, policies=None, **headers) -> httpx.AsyncClient:
    app = Starlette(routes=DemoPages(lambda: shop, images, policies).routes())
    transport = httpx.ASGITransport(app=app)
    return httpx.AsyncClient(transport=transport, base_url="http://shop.example", headers=headers)


async def test_storefront_in_the_browsers_language():
    async with visitor(storefront(), **{"accept-language": "de-AT,en;q=0.5"}) as client:
        page = (await client.get("/")).text
    assert '<html lang="de">' in page
    assert "Wintermantel 1" in page
    assert "129,90\xa0€" in page
    assert "30 Produkte" in page
    assert 'src="/static/tresen-chat.js"' in page


async def test_asked_language_is_remembered():
    async with visitor(storefront(), **{"accept-language": "de"}) as client:
        await client.get("/?lang=en")
        assert "Good things" in (await client.get("/")).text


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 30),
        ("?category=coats", 15),
        ("?category=nothing", 0),
        ("?q=winter+7", 3),
        ("?q=%00%27%22", 0),
        ("?page=99999999999999999999", 30),
        ("?page=-1&category=lamps", 15),
    ],
)
async def test_filters(query, count):
    async with visitor(storefront(), **{"accept-language": "de"}) as client:
        answer = await client.get("/" + query)
    assert answer.status_code == 200
    assert f"{count} Produkte" in answer.text


async def test_categories_below_count_too():
    shop = storefront()
    below = {"id": "lamps", "parent": "coats", "title": {"en": "Lamps"}}
    nested = Storefront("x", "EUR", [shop.categories[0], below], shop.products)
    async with visitor(nested, **{"accept-language": "en"}) as client:
        assert "30 products" in (await client.get("/?category=coats")).text


async def test_pages_follow_each_other():
    async with visitor(storefront()) as client:
        first = (await client.get("/")).text
        second = (await client.get("/?page=2")).text
    ids = [re.findall(r'href="/shop/p/(P\d+)"', page) for page in (first, second)]
    assert [len(part) for part in ids] == [24, 6]
    assert len(set(ids[0] + ids[1])) == 30


async def test_product_page_and_missing_product():
    async with visitor(storefront(), **{"accept-language": "en"}) as client:
        product = await client.get("/shop/p/P7")
        missing = await client.get("/shop/p/P999")
    assert "Sold out at present" in product.text
    assert "€131.90" in product.text
    assert missing.status_code == 404
    assert "This page does not exist." in missing.text


async def test_help_has_an_anchor_for_each_question():
    async with visitor(storefront(), **{"accept-language": "en"}) as client:
        page = (await client.get("/shop/help")).text
    assert 'id="returns"' in page
    assert 'id="costs"' in page
    assert "30 days from delivery." in page


async def test_every_section_that_answers_quote_has_its_anchor():
    texts = Path(__file__).parents[2] / "data" / "policies" / "texts"
    shop = Path(__file__).parents[2] / "data" / "demo_shop"
    content, problems = read_shop(SourceDirs(shop=shop, policies=texts))
    quoted = [passage for passage in content.passages if passage.kind == "policy"]
    assert (len(quoted) > 20, problems) == (True, [])
    async with visitor(storefront(), policies=texts) as client:
        for passage in quoted:
            path, _, anchor = passage.source_url.partition("#")
            page = await client.get(path, params={"lang": passage.language})
            assert f'id="{anchor}"' in page.text, passage.source_url


async def test_an_unknown_policy_is_missing(tmp_path):
    (tmp_path / "secret.txt").write_text("# no policy")
    async with visitor(storefront(), policies=tmp_path) as client:
        for name in ("terms", "secret.txt", "..%2Fsecret"):
            assert (await client.get(f"/shop/policies/{name}")).status_code == 404
    async with visitor(storefront()) as client:
        assert (await client.get("/shop/policies/terms")).status_code == 404


async def test_hostile_data_and_queries_are_escaped():
    product = {**storefront().products[0], "title": {"en": HOSTILE}, "brand": HOSTILE}
    shop = Storefront(
        HOSTILE, "EUR", [], [product], tries=[TryThis({"en": HOSTILE}, {"en": HOSTILE})]
    )
    async with visitor(shop, **{"accept-language": "en"}) as client:
        answers = [
            await client.get(path)
            for path in ("/", f"/?q={HOSTILE}", "/shop/p/P1", f"/shop/help?x={HOSTILE}")
        ]
    assert [HOSTILE in answer.text for answer in answers] == [False] * 4
    policy = answers[0].headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "script-src" not in policy


async def test_pictures_come_from_the_folder_only(tmp_path):
    (tmp_path / "a.svg").write_text("<svg/>")
    (tmp_path.parent / "secret.svg").write_text("secret")
    async with visitor(storefront(), tmp_path) as client:
        picture = await client.get("/shop/images/a.svg")
        outside = await client.get("/shop/images/..%2fsecret.svg")
        missing = await client.get("/shop/images/none.svg")
    assert picture.text == "<svg/>"
    assert "sandbox" in picture.headers["content-security-policy"]
    assert outside.text != "secret"
    assert "<svg" in missing.text


async def test_widget_modules_may_be_loaded_by_other_shops():
    async with visitor(storefront()) as client:
        script = await client.get("/static/chat/element.js")
    assert script.headers["access-control-allow-origin"] == "*"
    assert "javascript" in script.headers["content-type"]


async def test_a_shop_folder_is_read_as_it_is():
    folder = Path(__file__).parents[2] / "data" / "demo_shop"
    shop = Storefront.read(folder)
    product = next(item for item in shop.products if item["id"] == "P1001")
    async with visitor(shop, folder / "images", **{"accept-language": "de"}) as client:
        page = (await client.get("/shop/p/P1001")).text
        picture = await client.get(f"/shop/images/{Path(product['image']).name}")
    assert product["title"]["de"] in page
    assert "schwarz · S" in page
    assert picture.headers["content-type"] == "image/svg+xml"
    assert picture.content == (folder / product["image"]).read_bytes()


def test_texts_fall_back_and_money_is_local():
    assert local({"en": "coat", "de": ""}, "de") == "coat"
    assert not local(None, "de")
    assert money(129900, "EUR", "de") == "1.299,00\xa0€"
    assert money(500, "JPY", "en").endswith("500")
    assert pick_language("xx", "", "fr,de;q=0.3") == "de"
    assert pick_language("", "en", "de") == "en"
    assert pick_language("", "", "") == "en"
