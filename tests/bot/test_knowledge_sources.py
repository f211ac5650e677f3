"""Sources of `endpoints.yml`: what is said about wrong ones, and `tresen ingest` over good ones."""

import shutil

import pytest

from bot.cli import main
from bot.knowledge_sources import open_sources
from bot.settings import load_settings
from bot.yaml_source import SourceError
from tests.bot.kit import ROOT

SHOP = ROOT / "tests" / "fixtures" / "shop_small"


def root_with(tmp_path, sources):
    root = tmp_path / "root"
    root.mkdir(exist_ok=True)
    config = "languages: [de, en]\npipeline: {encoder: lexical}\n"
    (root / "config.yml").write_text(config, encoding="utf-8")
    text = f"knowledge:\n  sources:\n{sources}"
    (root / "endpoints.yml").write_text(text, encoding="utf-8")
    return root


def opened(tmp_path, sources):
    return open_sources(load_settings(root_with(tmp_path, sources), tmp_path / "data", SHOP))


def test_sources_of_every_kind_with_their_intervals(tmp_path):
    planned = opened(tmp_path, """
    - {kind: products, name: stock, path: p.csv, columns: {id: sku}, interval_minutes: 5}
    - {kind: merchant, url: "https://shop.example/feed.xml"}
    - {kind: folder, path: help}
    - {kind: sitemap, url: "https://shop.example/sitemap.xml", include: [/help]}
    - {kind: crawl, url: "https://shop.example/help/", max_depth: 2}
    - {kind: articles, path: zendesk.json}
    - {kind: knowledge.feeds.folder, name: own, path: other}
""")  # fmt: skip
    assert [plan.source.name for plan in planned] == [
        "stock", "merchant", "folder", "sitemap", "crawl", "articles", "own",
    ]  # fmt: skip
    assert [plan.interval_s for plan in planned[:2]] == [300.0, 0.0]


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("{kind: folde, path: x}", "there is no kind 'folde' → did you mean 'folder'?"),
        ("{kind: base, name: x}", "'base' is no kind"),
        ("{path: x}", "name: Expected `str`"),
        ("{kind: folder, path: x, pth: y}", "unknown key 'knowledge.sources.1.pth'"),
        ("{kind: folder}", "missing required field `path`"),
        ("{kind: products}", "needs either path: … or url: …"),
        ("{kind: products, url: ftp://x}", "url: has to begin with"),
        ("{kind: crawl, url: shop.example}", "write https://…"),
        ("{kind: crawl, url: 'https://x', max_pages: 0}", "max_pages: Expected `int` >= 1"),
        ("{kind: folder, path: x, name: Bad Name}", "write lower-case letters"),
        ("{kind: folder, path: x, name: help}", "two sources are called 'help'"),
    ],
)
def test_what_is_wrong_is_said_with_file_and_line(tmp_path, entry, problem):
    with pytest.raises(SourceError) as caught:
        opened(tmp_path, f"    - {{kind: folder, name: help, path: a}}\n    - {entry}\n")
    text = str(caught.value)
    assert problem in text
    line = 2 if "two sources" in problem else 4
    assert text.startswith(f"endpoints.yml:{line}: error: ")


@pytest.fixture
def shop(tmp_path):
    root = root_with(tmp_path, "    - {kind: folder, name: help, path: help}\n")
    (root / "data").mkdir()
    for name in ("vocabulary", "lexicons"):
        (root / "data" / name).symlink_to(ROOT / "data" / name)
    (root / "help").mkdir()
    (root / "help" / "a.en.md").write_text("# Care\n\nWash the coat by hand.", encoding="utf-8")
    (root / "help" / "b.pdf").write_bytes(b"broken")
    return root


def test_ingest_reports_source_by_source(tmp_path, shop, capsys):
    def ingest(*options):
        places = ["--root", shop, "--data-dir", tmp_path / "data", "--demo-shop", SHOP]
        code = main(["ingest", *map(str, places), *options])
        return code, capsys.readouterr()

    code, said = ingest()
    assert code == 1, said.err
    first = said.out.splitlines()[0]
    assert first.startswith("help: read 1, added 1, changed 0, removed 0, left out 1 (")
    assert "  left out: b.pdf: is a broken PDF" in said.out
    (shop / "help" / "b.pdf").unlink()
    code, said = ingest("--source", "help")
    assert (code, said.out.splitlines()[1].startswith("added 0, changed 0")) == (0, True)
    shutil.rmtree(shop / "help")
    code, said = ingest()
    assert code == 1
    assert "  not read, what it gave before stays: help: there is no such folder" in said.out
    assert ", removed 0, " in said.out.splitlines()[-1]
    code, said = ingest("--source", "hlp")
    assert (code, "there is no source 'hlp'" in said.err) == (1, True)
