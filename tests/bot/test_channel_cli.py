import subprocess
import sys
from pathlib import Path

import pytest

from bot.cli import main
from bot.replay import read_requests
from bot.yaml_source import SourceError
from tests.platforms.faults import serve
from tests.platforms.telegram import SECRET, TOKEN, TelegramFake

ROOT = Path(__file__).resolve().parents[2]


def house(tmp_path):
    """Return a folder that holds this repository's code, and room for one more channel."""
    for name in ("bot", "pyproject.toml"):
        (tmp_path / name).symlink_to(ROOT / name)
    for folder in ("channels", "tests"):
        (tmp_path / folder).mkdir()
        for path in (ROOT / folder).iterdir():
            (tmp_path / folder / path.name).symlink_to(path)
    (tmp_path / "tests" / "channels").unlink()
    (tmp_path / "tests" / "channels").mkdir()
    (tmp_path / "tests" / "channels" / "__init__.py").touch()
    return tmp_path


def test_a_new_channel_passes_its_tests_and_the_checks(tmp_path):
    root = house(tmp_path)
    assert main(["new", "channel", "trial_post", "--root", str(root)]) == 0
    files = [root / "channels/trial_post.py", root / "tests/channels/test_trial_post.py"]
    tool = [sys.executable, "-m"]
    for command in (
        ["ruff", "check", "--config", str(ROOT / "pyproject.toml"), *files],
        ["ruff", "format", "--check", "--config", str(ROOT / "pyproject.toml"), *files],
        ["mypy", "--config-file", str(ROOT / "pyproject.toml"), files[0]],
        ["pytest", "-q", "-p", "no:cacheprovider", files[1]],
    ):
        done = subprocess.run(
            [*tool, *map(str, command)], cwd=root, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["Signal", "1st", "class", "a", "../evil", "rest"])
def test_a_bad_name_is_refused(name, tmp_path, capsys):
    root = house(tmp_path)
    before = sorted(path.name for path in (root / "channels").iterdir())
    assert main(["new", "channel", name, "--root", str(root)]) == 1
    assert name in capsys.readouterr().err
    assert sorted(path.name for path in (root / "channels").iterdir()) == before


def test_requests_are_read_in_every_recorded_form(tmp_path):
    lines = tmp_path / "a.jsonl"
    lines.write_text('{"payload": {"a": "ä"}}\n\n{"entry": []}\n', encoding="utf-8")
    assert [r.body for r in read_requests(lines, "whatsapp")] == [
        '{"a": "ä"}'.encode(),
        b'{"entry": []}',
    ]
    whole = tmp_path / "b.json"
    whole.write_text('{"method": "GET", "query": {"x": "1"}, "headers": {"X-Y": "z"}, "body": ""}')
    (request,) = read_requests(whole, "whatsapp")
    assert (request.method, request.query, request.headers) == ("GET", {"x": "1"}, {"x-y": "z"})
    form = tmp_path / "c.txt"
    form.write_text("Body=Hallo&From=%2B49\n")
    (request,) = read_requests(form, "twilio")
    assert request.body == b"Body=Hallo&From=%2B49"
    bad = tmp_path / "d.jsonl"
    bad.write_text('{"a": 1}\n{broken\n')
    with pytest.raises(SourceError, match=r"d.jsonl.*2"):
        list(read_requests(bad, "whatsapp"))


def test_replay_names_a_channel_that_is_not_set_up(tmp_path, capsys):
    recorded = tmp_path / "a.json"
    recorded.write_text("{}")
    assert main(["replay", str(recorded), "--channel", "pigeon"]) == 1
    assert "pigeon" in capsys.readouterr().err


ENDPOINTS = """
public_url: https://bot.example
channels:
  telegram: {{token: "{token}", secret_token: {secret}, api_url: "{url}"}}
  alexa: {{skill_id: amzn1.ask.skill.1}}
"""


def endpoints(tmp_path, url="http://127.0.0.1:9", text=ENDPOINTS):
    """Return the options of a folder that holds this repository's data and these endpoints."""
    for name in ("data", "models", "config.yml"):
        (tmp_path / name).symlink_to(ROOT / name)
    whole = text.format(token=TOKEN, secret=SECRET, url=url)
    (tmp_path / "endpoints.yml").write_text(whole, encoding="utf-8")
    return ["--root", str(tmp_path), "--data-dir", str(tmp_path / "state")]


def test_a_channel_is_registered_at_its_platform(tmp_path, capsys):
    fake = TelegramFake()
    with serve(fake.app) as url:
        options = endpoints(tmp_path, url)
        for mode, begins, hook in (
            (["--dry-run"], "to do: Telegram delivers to", ""),
            ([], "done: Telegram delivers to", "https://bot.example/webhooks/telegram/webhook"),
        ):
            assert main(["channel", "register", "telegram", *mode, *options]) == 0
            assert capsys.readouterr().out.startswith(begins)
            assert fake.hook["url"] == hook


@pytest.mark.parametrize(
    ("name", "words"),
    [("signal", "it has: alexa, telegram"), ("telegram", "telegram: Telegram cannot be reached")],
)
def test_what_cannot_be_registered_is_told(name, words, tmp_path, capsys):
    assert main(["channel", "register", name, *endpoints(tmp_path)]) == 1
    assert words in capsys.readouterr().err


def test_a_channel_that_is_only_answered_is_entered_by_hand(tmp_path, capsys):
    assert main(["channel", "register", "alexa", *endpoints(tmp_path)]) == 0
    assert "https://bot.example/webhooks/alexa/webhook" in capsys.readouterr().out


def test_nothing_is_registered_without_a_public_address(tmp_path, capsys):
    text = ENDPOINTS.replace("public_url: https://bot.example", "")
    assert main(["channel", "register", "telegram", *endpoints(tmp_path, text=text)]) == 1
    assert "public_url" in capsys.readouterr().err
