"""The `tresen` command as a person types it."""

import json
import shutil
import socket
import subprocess
import sys

import pytest

from tests.integration.server import ROOT


def tresen(*arguments, typed="", limit_s=240):
    return subprocess.run(
        [sys.executable, "-m", "bot.cli", *map(str, arguments)],
        cwd=ROOT, input=typed, capture_output=True, text=True, timeout=limit_s, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("cli") / "data"


@pytest.fixture
def own_root(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    for name in ("config.yml", "endpoints.yml"):
        shutil.copy(ROOT / name, root / name)
    shutil.copytree(ROOT / "data", root / "data")
    shutil.copytree(ROOT / "models", root / "models")
    return root


@pytest.mark.parametrize(
    "command", [["run"], ["train"], ["chat"], ["check"], ["parse"], ["effects"], ["shop", "export"]]
)
def test_every_command_explains_itself(command):
    shown = tresen(*command, "--help")
    assert shown.returncode == 0
    for option in ("--data-dir", "--demo-shop", "--root"):
        assert option in shown.stdout
    if command == ["run"]:
        assert "--host" in shown.stdout
        assert "--port" in shown.stdout


def test_parse_prints_json(data_dir):
    shown = tresen("parse", "Wo ist meine Bestellung?", "--json", "--data-dir", data_dir)
    assert shown.returncode == 0, shown.stderr
    assert json.loads(shown.stdout)["intent"]["name"] == "track_order"


def test_train_says_how_much_it_learned(own_root):
    shown = tresen("train", "--root", own_root)
    assert shown.returncode == 0, shown.stderr
    assert "examples of" in shown.stdout
    assert (own_root / "models" / "intents.npz").is_file()


def test_check_finds_nothing_wrong_here():
    shown = tresen("check")
    assert shown.returncode == 0, shown.stdout
    assert "0 errors" in shown.stdout


def test_check_names_file_line_and_cure_of_a_typo(own_root):
    path = own_root / "data" / "skills" / "cancel_order.yml"
    lines = path.read_text(encoding="utf-8").splitlines()
    number = next(n for n, line in enumerate(lines, 1) if "action: action_make_plan" in line)
    lines[number - 1] = lines[number - 1].replace("action_make_plan", "action_make_plam")
    path.write_text("\n".join(lines), encoding="utf-8")
    shown = tresen("check", "--root", own_root)
    assert shown.returncode == 1
    line = next(line for line in shown.stdout.splitlines() if "action_make_plam" in line)
    assert line.startswith(f"data/skills/cancel_order.yml:{number}: error:")
    assert "action_make_plan" in line


def test_the_shop_is_exported_in_its_own_format(data_dir, tmp_path):
    shown = tresen("shop", "export", tmp_path / "out", "--data-dir", data_dir)
    assert shown.returncode == 0, shown.stderr
    again = tresen("shop", "export", tmp_path / "again", "--data-dir", tmp_path / "data",
                   "--demo-shop", tmp_path / "out")  # fmt: skip
    assert again.returncode == 0, again.stderr
    for name in ("products", "customers", "orders", "returns"):
        first = json.loads((tmp_path / "out" / f"{name}.json").read_text(encoding="utf-8"))
        second = json.loads((tmp_path / "again" / f"{name}.json").read_text(encoding="utf-8"))
        assert first == second != []


def test_chat_answers_what_is_piped_in(data_dir):
    shown = tresen("chat", "--data-dir", data_dir, typed="Ich möchte meine Bestellung stornieren\n")
    assert shown.returncode == 0, shown.stderr
    assert "Bestell" in shown.stdout or "E-Mail" in shown.stdout


def refused(*arguments):
    shown = tresen("run", *arguments, limit_s=60)
    assert shown.returncode == 1
    assert shown.stderr.count("\n") == 1
    return shown.stderr


def test_run_says_that_a_port_is_in_use(data_dir):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"port {port} on 127.0.0.1 is in use" in refused(
            "--port", port, "--data-dir", data_dir
        )
    assert "from 0 to 65535" in refused("--port", 70_000, "--data-dir", data_dir)


def test_run_says_that_the_data_folder_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    assert "cannot write to" in refused("--port", 0, "--data-dir", tmp_path / "file" / "data")


def test_run_says_what_is_wrong_with_a_shop(data_dir, tmp_path):
    shop = tmp_path / "shop"
    assert "has no shop.json" in refused("--port", 0, "--data-dir", data_dir, "--demo-shop", shop)
    shutil.copytree(ROOT / "tests" / "fixtures" / "shop_small", shop)
    (shop / "orders.json").write_text('[{"id": 3,]')
    problem = refused("--port", 0, "--data-dir", tmp_path / "data", "--demo-shop", shop)
    assert "orders.json is not readable JSON" in problem
