"""The section `sign_in:`: what is wrong in it is said with its place and a cure."""

import shutil
from pathlib import Path

import pytest

from bot.settings import load_settings
from bot.sign_in_setup import sign_in_settings
from bot.yaml_source import SourceError
from desk.oidc_settings import SignInSettings, WrongSignInSettings, is_safe, read_sign_in

ROOT = Path(__file__).resolve().parents[2]
PUBLIC = "https://desk.shop.example"
GOOD = {"issuer": "https://login.shop.example/realms/shop", "client_id": "tresen"}
WRONG = [
    ({"client_id": "x"}, ("issuer",), "missing"),
    ({"issuer": "https://login.example"}, ("client_id",), "missing"),
    (GOOD | {"isuer": "x"}, ("isuer",), "unknown key"),
    (GOOD | {"issuer": "http://login.shop.example"}, ("issuer",), "https"),
    (GOOD | {"issuer": "https://login.example/.well-known/x"}, ("issuer",), "configuration"),
    (GOOD | {"scopes": ["email"]}, ("scopes",), "openid"),
    (GOOD | {"roles": {"desk": "agent"}}, ("roles",), "agent"),
    (GOOD | {"only": "yes"}, ("only",), "bool"),
    (GOOD | {"only": True, "roles": {"a": "operator"}}, ("roles",), "admin"),
    (GOOD | {"areas": {"a": "returns"}}, ("areas",), "areas_claim"),
    (GOOD | {"areas_claim": "teams", "areas": {"a": "retruns"}}, ("areas",), "retruns"),
]


@pytest.mark.parametrize(("data", "where", "what"), WRONG)
def test_wrong_settings_are_told(data, where, what):
    with pytest.raises(WrongSignInSettings) as caught:
        read_sign_in(data, PUBLIC, ["returns"])
    assert caught.value.where == where
    assert what in str(caught.value)


@pytest.mark.parametrize("public", ["", "http://desk.shop.example"])
def test_the_way_back_must_be_known_and_safe(public):
    with pytest.raises(WrongSignInSettings, match="lead back") as caught:
        read_sign_in(GOOD, public, [])
    assert "public_url" in caught.value.cure


def test_right_settings():
    assert read_sign_in({}, "", []) is None
    areas = {"areas_claim": "teams", "areas": {"a": "returns", "b": "*"}}
    found = read_sign_in(GOOD | areas | {"label": "Kontor-Login"}, PUBLIC, ["returns"])
    assert isinstance(found, SignInSettings)
    assert found.label_in("de") == "Kontor-Login"
    assert not found.only


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://a.example", True),
        ("http://127.0.0.1:8080", True),
        ("http://[::1]:8080", True),
        ("http://localhost", True),
        ("http://a.example", False),
        ("http://127.0.0.1.evil.example", False),
        ("https://user@a.example", False),
        ("https://", False),
        ("javascript:alert(1)", False),
        ("ftp://a.example", False),
        ("", False),
    ],
)
def test_which_addresses_are_safe(url, safe):
    assert is_safe(url) is safe


def test_check_names_the_line(tmp_path):
    for name in ("config.yml", "endpoints.yml"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "data" / "lexicons").mkdir(parents=True)
    text = (tmp_path / "endpoints.yml").read_text(encoding="utf-8")
    own = "sign_in:\n  issuer: https://login.example\n  client_id: t\n  rolls: {}\n"
    (tmp_path / "endpoints.yml").write_text(text.replace("sign_in: {}\n", own), encoding="utf-8")
    settings = load_settings(tmp_path, environ={})
    with pytest.raises(SourceError) as caught:
        sign_in_settings(settings, [])
    (problem,) = caught.value.problems
    line = (tmp_path / "endpoints.yml").read_text(encoding="utf-8").splitlines()[problem.line - 1]
    assert line.strip() == "rolls: {}"
    assert "did you mean 'roles'?" in problem.cure
