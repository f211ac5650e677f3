import httpx
import pytest

from knowledge.errors import SourceUnreadable
from knowledge.feeds.base import Surroundings
from knowledge.feeds.products import Config, connect
from knowledge.readers.amounts import read_amount
from tests.knowledge.feeds.conftest import read, reasons

GERMAN = """Artikelnr;Gruppe;Bezeichnung;Preis;Farbe;Größe;Bestand;Material
1001-S;1001;Jacke „Föhr“;129,90 €;blau;S;3;Wolle
1001-M;1001;Jacke „Föhr“;1.129,90 €;blau;M;0;Wolle
;;Ohne Nummer;1,00;;;;
1002;;;9,90;;;;
1003;;Kein Preis;auf Anfrage;;;;
1004;;Umsonst;0,00;;;;
1001-S;1001;Noch einmal;1,00;;;;
1005;;Dollar;12.00 USD;;;;
"""
COLUMNS = {
    "id": "Artikelnr", "group": "Gruppe", "title": "Bezeichnung", "price": "Preis",
    "stock": "Bestand",
}  # fmt: skip
OPTIONS = {"color": "Farbe", "size": "Größe"}


def german(around, encoding):
    (around.root / "p.csv").write_bytes(GERMAN.encode(encoding))
    return connect("lager", Config(path="p.csv", columns=COLUMNS, options=OPTIONS), around)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_a_german_table_in_any_encoding_and_what_is_wrong_row_by_row(around, encoding):
    (document,) = read(german(around, encoding))
    (jacket,) = document.products
    assert jacket.title == {"de": "Jacke „Föhr“"}
    small, medium = jacket.variants
    assert (small.price_minor, small.available, small.stock) == (12990, True, 3)
    assert (medium.price_minor, medium.available, medium.options["size"]) == (112990, False, "M")
    assert jacket.attributes == {"Material": "Wolle"}
    told = reasons([document])
    assert told["line 4"] == "has no id"
    assert told["1002"] == "has no title"
    assert "no price" in told["1003"]
    assert told["1004"] == "has the price 0"
    assert "came before" in told["1001-S"]
    assert "USD" in told["1005"]


def test_an_unchanged_file_is_not_read_again(around):
    source = german(around, "utf-8")
    (document,) = read(source)
    (again,) = read(source, {document.key: document.fingerprint})
    assert (again.state, again.products) == ("unchanged", ())


def test_json_with_nested_variants_at_a_path(tmp_path):
    data = {"data": {"list": [
        {"sku": "A", "name": "Lamp", "cost": {"value": 20}, "tags": ["x", "y"],
         "variants": [{"sku": "A-1", "color": "red"}, {"sku": "A-2", "cost": {"value": 25.5}}]},
        "nonsense",
    ]}}  # fmt: skip

    def answer(request):
        assert str(request.url) == "https://shop.example/p?key=secret"
        return httpx.Response(200, json=data)

    columns = {"id": "sku", "title": "name", "price": "cost.value"}
    config = Config(url="https://shop.example/p?key=secret", columns=columns, items="data.list")
    around = Surroundings(tmp_path, languages=("en",), transport=httpx.MockTransport(answer))
    (document,) = read(connect("api", config, around))
    (lamp,) = document.products
    assert (lamp.id, lamp.tags) == ("A", ("x", "y"))
    assert [(v.id, v.price_minor) for v in lamp.variants] == [("A-1", 2000), ("A-2", 2550)]
    assert reasons([document]) == {"#1": "is no object"}
    assert "secret" not in document.key


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "no column 'id'"),
        (b"name,price\nx,1\n", "it has name, price"),
        (b'{"a": 1}', "no list at its top"),
        (b"[1, 2", "truncated|invalid|malformed"),
        (b"id,title,price\n1,x,nothing\n", "gives no product: 'nothing' is no price"),
        (bytes(range(256)) * 9, "no text"),
    ],
)
def test_what_is_no_product_file_is_an_error_that_says_why(around, content, problem):
    (around.root / "p").write_bytes(content)
    with pytest.raises(SourceUnreadable, match=problem):
        read(connect("x", Config(path="p"), around))


def test_too_large_missing_and_failing_files(around, tmp_path):
    (around.root / "big.csv").write_bytes(b"x" * 1_000_001)
    for path in ("big.csv", "missing.csv"):
        with pytest.raises(SourceUnreadable, match=r"limit|No such file"):
            read(connect("x", Config(path=path, max_megabytes=1), around))
    endless = httpx.MockTransport(lambda _: httpx.Response(200, content=b"x" * 1_000_001))
    for transport in (endless, httpx.MockTransport(lambda _: httpx.Response(500))):
        config = Config(url="https://a.example/p.csv?key=secret", max_megabytes=1)
        with pytest.raises(SourceUnreadable, match=r"larger than|answers 500") as caught:
            read(connect("x", config, Surroundings(tmp_path, transport=transport)))
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("129.90 EUR", 12990), ("129,90 €", 12990), ("EUR 1.299,00", 129900), ("1,299.00", 129900),
        ("1.299", 129900), ("0.999", 100), ("1'299.5", 129950), (7, 700), ("12", 1200),
        ("1 299,00", 129900), ("0", 0),
    ],
)  # fmt: skip
def test_amounts(text, minor):
    assert read_amount(text, "EUR") == minor


@pytest.mark.parametrize("text", ["", "free", "-3,00", "3 USD", "$3", "9" * 30, "nan"])
def test_no_amounts(text):
    with pytest.raises(ValueError, match="price"):
        read_amount(text, "EUR")


def test_a_currency_without_decimals():
    assert read_amount("1,200 JPY", "JPY") == 1200
