"""Which shop is opened, and what is said about settings that are wrong."""

from typing import get_args

import pytest

from actions.commerce.plans import PlanKind
from actions.payments.demo import DemoPaymentProvider
from bot.settings import Connection, load_settings
from bot.shops import connect, open_shop
from bot.yaml_source import SourceError
from tests.bot.kit import ROOT

TEXT = """
shop:
  kind: {kind}
  settings: {settings}
"""


def settings_of(tmp_path, kind, settings="{}"):
    root = tmp_path / "root"
    root.mkdir()
    (root / "config.yml").write_text("languages: [de, en]\n")
    (root / "endpoints.yml").write_text(TEXT.format(kind=kind, settings=settings))
    shop = ROOT / "tests" / "fixtures" / "shop_small"
    return load_settings(root, tmp_path / "data", shop)


def error_of(tmp_path, kind, settings="{}"):
    with pytest.raises(SourceError) as error:
        connect(settings_of(tmp_path, kind, settings))
    return str(error.value)


def test_an_unknown_kind_names_the_nearest(tmp_path):
    text = error_of(tmp_path, "shopfy")
    assert text.startswith("endpoints.yml:2: error: shop: there is no adapter 'shopfy'")
    assert "did you mean 'shopify'?" in text


def test_a_dotted_path_that_does_not_exist_is_named(tmp_path):
    assert "no.such.module" in error_of(tmp_path, "no.such.module:connect")


@pytest.mark.parametrize("kind", ["shopify", "woocommerce", "vendure"])
def test_missing_settings_are_named(tmp_path, kind):
    text = error_of(tmp_path, kind)
    assert "the setting 'url' is missing" in text


def test_a_misspelt_setting_is_named_with_its_line(tmp_path):
    text = error_of(tmp_path, "woocommerce", "{urll: 'http://127.0.0.1:1'}")
    assert "endpoints.yml:4: error: shop: unknown setting 'urll' → did you mean 'url'?" in text


def test_a_secret_that_is_not_set_is_missing(tmp_path, monkeypatch):
    monkeypatch.delenv("NO_SUCH_SECRET", raising=False)
    with pytest.raises(SourceError, match="NO_SUCH_SECRET"):
        settings_of(tmp_path, "woocommerce", '{consumer_secret: "${NO_SUCH_SECRET}"}')


async def test_the_demo_shop_is_the_default(tmp_path):
    settings = load_settings(ROOT, tmp_path, ROOT / "tests" / "fixtures" / "shop_small")
    assert settings.endpoints.shop == Connection("demo")
    opened = await open_shop(settings, DemoPaymentProvider("http://127.0.0.1:1"))
    assert opened.shop.info.name
    assert opened.ports is None
    assert opened.shop.can == frozenset(get_args(PlanKind))
    await opened.close()
