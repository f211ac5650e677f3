import gzip
from datetime import UTC, datetime

import pytest

from knowledge.errors import SourceUnreadable
from knowledge.feeds.merchant import Config, MerchantFeed
from tests.knowledge.feeds.conftest import read, reasons

ITEM = """<item><g:id>{id}</g:id><g:item_group_id>{group}</g:item_group_id>
<title>Coat &amp; hood</title><description>&lt;b&gt;Warm&lt;/b&gt; wool.</description>
<link>https://shop.example/{id}</link><g:image_link>https://shop.example/{id}.jpg</g:image_link>
<g:price>{price}</g:price><g:sale_price>{sale}</g:sale_price>
<g:sale_price_effective_date>{when}</g:sale_price_effective_date>
<g:availability>{stock}</g:availability><g:color>{color}</g:color><g:size>{size}</g:size>
<g:brand>Fjord</g:brand><g:material>wool</g:material>
<g:product_type>Clothing &gt; Coats</g:product_type></item>"""
RSS = (
    '<?xml version="1.0"?><rss xmlns:g="http://base.google.com/ns/1.0"><channel>{}</channel></rss>'
)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def item(key, **more):
    told = {
        "id": key, "group": "C1", "price": "129.90 EUR", "sale": "", "when": "",
        "stock": "in stock", "color": "blue", "size": "M",
    }  # fmt: skip
    return ITEM.format(**told | more)


def feed(around, content, name="feed.xml", now=NOW):
    (around.root / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return MerchantFeed("google", Config(path=name, language="en"), around, lambda: now)


def test_variants_of_a_group_with_prices_sales_and_availability(around):
    items = [
        item("C1-M", sale="99.00 EUR", when="2026-11-20T00:00+0100/2026-11-30T00:00+0100"),
        item("C1-L", size="L", stock="out_of_stock", sale="9 EUR", when="2026-01-01/2026-02-01"),
        item("C2", group="", price="0 EUR"),
    ]
    (document,) = read(feed(around, RSS.format("".join(items))))
    (coat,) = document.products
    assert (coat.id, coat.title, coat.description["en"]) == (
        "C1", {"en": "Coat & hood"}, "Warm wool.",
    )  # fmt: skip
    medium, large = coat.variants
    assert (medium.price_minor, medium.available) == (9900, True)
    assert (large.price_minor, large.available) == (12990, False)
    assert (coat.category, document.categories[0].title) == ("coats", {"en": "Coats"})
    assert coat.attributes == {"material": "wool"}
    assert reasons([document]) == {"C2": "has the price 0"}


def test_a_feed_is_read_anew_each_day_for_sales_end(around):
    content = RSS.format(item("C1-M", sale="9 EUR", when="2026-11-20/2026-11-23"))
    (first,) = read(feed(around, content))
    known = {first.key: first.fingerprint}
    assert read(feed(around, content), known)[0].state == "unchanged"
    (later,) = read(feed(around, content, now=datetime(2026, 11, 24, tzinfo=UTC)), known)
    prices = [document.products[0].variants[0].price_minor for document in (first, later)]
    assert prices == [900, 12990]


def test_atom_gzip_and_tab_separated(around):
    atom = '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:g="http://base.google.com/ns/1.0">{}</feed>'
    entry = item("A1").replace("item>", "entry>")
    (document,) = read(feed(around, gzip.compress(atom.format(entry).encode()), "a.xml.gz"))
    assert document.products[0].variants[0].id == "A1"
    table = "id\ttitle\tprice\tavailability\titem group id\nT1\tMütze\t9,50 EUR\tpreorder\tT\n"
    (document,) = read(feed(around, table.encode("cp1252"), "t.tsv"))
    assert document.products[0].title == {"en": "Mütze"}
    assert not document.products[0].variants[0].available


BOMB = """<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">
<!ENTITY a "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><rss><item><id>&b;</id></item></rss>"""
OUTSIDE = (
    """<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><rss><item><id>&f;</id></item></rss>"""
)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (BOMB, "entities"),
        (OUTSIDE, "entities"),
        ("<rss><item><id>1</id>", "no XML"),
        ("<a>" * 200 + "</a>" * 200, "deep"),
        (RSS.format(""), "has no items"),
        ("just words", "no Merchant feed"),
        (b"\x1f\x8bnonsense", "broken gzip"),
    ],
)
def test_hostile_and_broken_feeds_are_refused(around, content, problem):
    with pytest.raises(SourceUnreadable, match=problem):
        read(feed(around, content))


def test_a_gzip_bomb_is_refused(around):
    (around.root / "bomb.gz").write_bytes(gzip.compress(b"<rss>" + b" " * 3_000_000))
    source = MerchantFeed("x", Config(path="bomb.gz", max_megabytes=1), around, lambda: NOW)
    with pytest.raises(SourceUnreadable, match="unpacks to more"):
        read(source)
