import gzip
import json

import httpx
import pytest

from knowledge.errors import SourceUnreadable
from knowledge.feeds import crawl, sitemap
from knowledge.feeds.addresses import TrapGuard, canonical
from knowledge.feeds.base import Surroundings
from knowledge.readers.fetch import Fetcher
from tests.knowledge.feeds.conftest import Site, read

HOME = "https://shop.example"
PRODUCT = {
    "@context": "https://schema.org", "@type": "Product", "sku": "L1", "name": "Lamp Flut",
    "brand": {"@type": "Brand", "name": "Flut"}, "color": "red", "image": ["/l.jpg"],
    "offers": {"@type": "Offer", "price": "49.50", "priceCurrency": "EUR",
               "availability": "https://schema.org/InStock"},
}  # fmt: skip
GROUP = {"@graph": [{"@type": "ProductGroup", "productGroupID": "G", "name": "Shirt",
    "description": "Soft cotton.", "hasVariant": [
        {"@type": "Product", "sku": "G-S", "name": "Shirt S", "size": "S",
         "offers": {"@type": "Offer", "price": 20, "priceCurrency": "EUR",
                    "availability": "OutOfStock"}},
        {"@type": "Product", "sku": "G-M", "name": "Shirt M", "size": "M",
         "offers": {"@type": "Offer", "price": 0, "priceCurrency": "EUR"}},
    ]}]}  # fmt: skip
FAQ = {"@type": "FAQPage", "mainEntity": [{"@type": "Question", "name": "Do you ship to Austria?",
    "acceptedAnswer": {"@type": "Answer", "text": "<p>Yes, for 9 euros.</p>"}}]}  # fmt: skip


def page(title, *links, ld=(), more=""):
    scripts = "".join(f'<script type="application/ld+json">{json.dumps(x)}</script>' for x in ld)
    anchors = "".join(f'<a href="{link}">x</a>' for link in links)
    text = f"<p>This page is about {title} and says enough to be kept as a passage.</p>"
    head = f'<html lang="en"><head>{scripts}{more}</head>'
    return f"{head}<body><main><h1>{title}</h1>{text}{anchors}</main></body></html>"


def crawled(site, root, known=None, **more):
    config = crawl.Config(url=f"{HOME}/", delay_ms=0, **more)
    return {d.key: d for d in read(crawl.connect("site", config, site.around(root)), known)}


def test_a_crawl_follows_links_of_its_host_and_obeys_robots(tmp_path):
    site = Site({
        "/robots.txt": "User-agent: *\nDisallow: /secret",
        "/": page("Home", "/a", "b?utm_source=x#top", "/secret/x", "https://else.example/"),
        "/a": page("A", "/", "/nothere", more='<meta name="robots" content="noindex">'),
        "/b": page("B", "/deep", ld=[PRODUCT]),
        "/deep": page("Deep"),
    })  # fmt: skip
    found = crawled(site, tmp_path)
    assert set(found) == {f"{HOME}/", f"{HOME}/b", f"{HOME}/deep"}
    assert found[f"{HOME}/b"].products[0].id == "L1"
    assert found[f"{HOME}/b"].passages == ()
    assert found[f"{HOME}/deep"].passages[0].source_url == f"{HOME}/deep"
    assert "/secret/x" not in site.asked
    assert set(crawled(site, tmp_path, max_depth=1)) == {f"{HOME}/", f"{HOME}/b"}


@pytest.mark.parametrize("said", ["noindex, nofollow", "None"])
def test_a_page_may_forbid_to_be_kept_and_followed(said, tmp_path):
    home = page("Home", "/a", more=f'<meta name="ROBOTS" content="{said}">')
    assert crawled(Site({"/": home, "/a": page("A")}), tmp_path) == {}


def test_a_crawl_leaves_traps(tmp_path):
    def calendar(request):
        month = int(request.url.params["month"])
        return httpx.Response(200, html=page(f"M{month}", f"/events?month={month + 1}"))

    def endless(request):
        number = len(str(request.url))
        return httpx.Response(200, html=page(f"E{number}", f"{request.url.path}/more"))

    site = Site({
        "/": page("Home", "/events?month=1", "/loop", "/same?sid=1", "/2026/11/", "/x/more",
                  "/huge", "/list?filter=0", "mailto:x@y.z", "javascript:x()", "http://[bad"),
        "/loop": httpx.Response(302, headers={"location": "/loop"}),
        "/same": page("Same", *(f"/same?sid={n}" for n in range(99))),
        "/huge": "<html>" + "x" * 1_200_000,
        "/events?month=1": calendar,
        **{"/x" + "/more" * n: endless for n in range(1, 60)},
        **{f"/list?filter={n}": page(f"L{n}", f"/list?filter={n + 1}") for n in range(99)},
    })  # fmt: skip
    found = crawled(site, tmp_path, max_megabytes=1, max_depth=50)
    assert len(site.asked) < 60
    assert not any("month" in path or "2026" in path for path in site.asked)
    told = {key: d.problems[0].reason for key, d in found.items() if d.state == "failed"}
    assert set(told) == {f"{HOME}/loop", f"{HOME}/huge"}
    assert "redirects more than 5" in told[f"{HOME}/loop"]
    assert site.asked.count("/same") == 1


def test_pages_that_a_limit_leaves_unread_or_that_fail_keep_what_they_gave(tmp_path):
    pages = {"/": page("Home", "/a", "/b", "/c"), "/a": page("A", "/d"), "/b": page("B"),
             "/c": page("C"), "/d": page("D")}  # fmt: skip
    known = {key: d.fingerprint for key, d in crawled(Site(pages), tmp_path).items()}
    limited = crawled(Site(pages), tmp_path, known, max_pages=2)
    states = {key.removeprefix(HOME): d.state for key, d in limited.items()}
    assert states == {
        "/": "unchanged", "/a": "unchanged", "/b": "failed", "/c": "failed", "/d": "failed",
    }  # fmt: skip
    broken = Site(pages | {"/a": httpx.Response(500), "/b": httpx.Response(410)})
    states = {k.removeprefix(HOME): d.state for k, d in crawled(broken, tmp_path, known).items()}
    assert states == {"/": "unchanged", "/a": "failed", "/c": "unchanged", "/d": "failed"}


def test_a_crawl_whose_first_page_fails_is_an_error(tmp_path):
    with pytest.raises(SourceUnreadable, match="answers 404"):
        crawled(Site({}), tmp_path)
    with pytest.raises(SourceUnreadable, match="robots"):
        crawled(Site({"/robots.txt": "User-agent: *\nDisallow: /", "/": page("x")}), tmp_path)
    away = httpx.MockTransport(
        lambda _: httpx.Response(302, headers={"location": "http://10.0.0.1"})
    )
    config = crawl.Config(url=f"{HOME}/", delay_ms=0)
    with pytest.raises(SourceUnreadable, match="not followed"):
        read(crawl.connect("x", config, Surroundings(tmp_path, transport=away)))


def test_a_sitemap_index_plain_and_gzipped(tmp_path):
    urls = "<urlset>{}</urlset>"
    index = ("<sitemapindex xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>"
             f"<sitemap><loc>{HOME}/p.xml.gz</loc></sitemap>"
             f"<sitemap><loc>{HOME}/h.xml</loc></sitemap></sitemapindex>")  # fmt: skip
    help_pages = f"<url><loc>{HOME}/faq</loc></url><url><loc>https://else.example/</loc></url>"
    site = Site({
        "/sitemap.xml": index,
        "/p.xml.gz": gzip.compress(urls.format(f"<url><loc>{HOME}/shirt</loc></url>").encode()),
        "/h.xml": urls.format(help_pages + f"<url><loc>{HOME}/gone</loc></url>"),
        "/shirt": page("Shirt", ld=[GROUP, "{broken"]),
        "/faq": page("Help", ld=[FAQ]),
    })  # fmt: skip
    config = sitemap.Config(url=f"{HOME}/sitemap.xml", delay_ms=0)
    documents = {d.key: d for d in read(sitemap.connect("s", config, site.around(tmp_path)))}
    assert set(documents) == {f"{HOME}/shirt", f"{HOME}/faq"}
    (shirt,) = documents[f"{HOME}/shirt"].products
    assert (shirt.id, shirt.title) == ("G", {"en": "Shirt"})
    assert [(v.id, v.available, v.options) for v in shirt.variants] == [
        ("G-S", False, {"size": "S"})
    ]
    assert {p.item for p in documents[f"{HOME}/shirt"].problems} == {"G-M"}
    answers = {p.title: (p.kind, p.text) for p in documents[f"{HOME}/faq"].passages}
    assert answers["Do you ship to Austria?"] == ("faq", "Yes, for 9 euros.")
    del site.pages["/h.xml"]
    with pytest.raises(SourceUnreadable, match="answers 404"):
        read(sitemap.connect("s", config, site.around(tmp_path)))


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("HTTPS://Shop.Example:443/a//b;jsessionid=1?utm_x=1&b=2&a=1&PHPSESSID=z#x",
         "https://shop.example/a/b?a=1&b=2"),
        ("https://müller.example/ä", "https://xn--mller-kva.example/%C3%A4"),
        ("ftp://x/", ""), ("https://u:p@x/", ""), ("https://x:99999/", ""), ("//", ""),
    ],
)  # fmt: skip
def test_addresses_are_made_comparable(url, same):
    assert canonical(url) == same
    assert canonical(same) == same


def test_what_is_refused():
    refusal = TrapGuard().refusal
    for url in ("/a.jpg", "/cart", "/2026-11-02", "/x?date=1", "/a/a/a/", "/" + "a" * 600):
        assert refusal(f"{HOME}{url}"), url
    for url in ("/", "/hilfe/versand", "/p?id=7", "/2026-kollektion", "/help/2024"):
        assert not refusal(f"{HOME}{url}"), url


@pytest.mark.parametrize("home", ["https://Shop.Example", "https://x.example:443", "https://ä.de"])
def test_a_host_may_be_written_in_any_way(home, tmp_path):
    site = Site({
        "/robots.txt": "User-agent: *\nDisallow: /secret",
        "/": page("Home", "/a", "/secret"),
        "/a": page("A"),
        "/s.xml": f"<urlset><url><loc>{home}/a</loc></url></urlset>",
    })  # fmt: skip
    config = crawl.Config(url=f"{home}/", delay_ms=0)
    assert len(read(crawl.connect("s", config, site.around(tmp_path)))) == 2
    config = sitemap.Config(url=f"{home}/s.xml", delay_ms=0)
    assert len(read(sitemap.connect("s", config, site.around(tmp_path)))) == 1
    assert "/secret" not in site.asked


def test_an_address_with_a_password_is_refused():
    with pytest.raises(ValueError, match="without a user or password"):
        crawl.Config(url="https://u:p@shop.example/")


@pytest.mark.parametrize(
    "place", ["http://169.254.169.254/x?key=1", "http://127.1/x?key=1", "http://[::ffff:10.0.0.1]/"]
)
def test_a_redirect_never_leads_into_the_own_network(place):
    away = httpx.MockTransport(lambda _: httpx.Response(302, headers={"location": place}))
    with (
        Fetcher(1000, away) as fetcher,
        pytest.raises(SourceUnreadable, match="inside the own network") as caught,
    ):
        fetcher.get("https://feeds.example/x")
    assert "key" not in str(caught.value)


def test_an_answer_that_drips_is_given_up():
    times = iter(range(0, 10**6, 600))
    drip = httpx.MockTransport(lambda _: httpx.Response(200, content=(b"x" for _ in range(9))))
    with (
        Fetcher(1000, drip, lambda: next(times)) as fetcher,
        pytest.raises(SourceUnreadable, match="takes longer"),
    ):
        fetcher.get("https://feeds.example/x")
