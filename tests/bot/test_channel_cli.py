import subprocess
import sys
from pathlib import Path

import pytest

from bot.cli import main
from bot.replay import read_requests
from bot.yaml_source import SourceError

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
