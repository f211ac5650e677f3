"""`tresen check` shows what is wrong with a shop's rules, with file, line and cure."""

import shutil

import pytest

from bot.checking import check_everything
from bot.settings import load_settings
from tests.bot.kit import ROOT
from tests.fixtures.small_shop import FOLDER, RULES


@pytest.fixture
def checked(tmp_path):
    shop = tmp_path / "shop"
    shutil.copytree(FOLDER, shop)

    def check(old, new):
        text = RULES.read_text(encoding="utf-8")
        assert text.count(old) >= 1
        (shop / "policy.yml").write_text(text.replace(old, new, 1), encoding="utf-8")
        settings = load_settings(ROOT, shop_dir=shop, environ={})
        return [str(p) for p in check_everything(settings) if "policy.yml" in p.path]

    return check


def test_a_mistake_is_named_with_line_rule_and_cure(checked):
    old = 'require: order.status != "cancelled"'
    line = RULES.read_text(encoding="utf-8")[: RULES.read_text(encoding="utf-8").index(old)]
    found = checked(old, 'require: order.statsu != "cancelled"')
    mistakes = [one for one in found if "warning" not in one]
    assert len(mistakes) == 2, "the misspelt fact, and a category that this shop has not"
    where = f"policy.yml:{line.count(chr(10)) + 1}: error: rule cancel-not-twice: "
    assert any(where in one for one in mistakes), mistakes
    assert any("did you mean `order.status`?" in one for one in mistakes)


def test_a_file_that_cannot_be_read_is_named_with_its_line(checked):
    (found,) = checked("      - id: cancel-pending", "      - ids: cancel-pending")
    assert "error" in found
    assert "`ids`" in found
    assert "→ did you mean `id`?" in found


def test_a_shop_that_refuses_what_the_law_gives_is_told(checked):
    (found,) = checked("perishable: [food]", "perishable: []")
    assert "warning: rule return-perishable: it never refuses" in found
    found = checked('require: "!item.hygiene || !item.unsealed"', 'require: "!item.hygiene"')
    wrong = [one for one in found if "right of withdrawal" in one]
    assert len(wrong) == 1
    assert "rule return-hygiene" in wrong[0]
