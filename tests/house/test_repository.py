"""The repository itself passes the house checks."""

import subprocess
import sys

from tests.house.inspection import CHECKS, EXCEPTIONS, inspect, read_exceptions
from tests.house.source import ROOT, read_repository
from tests.house.test_checks import SAMPLES


def test_no_file_breaks_a_house_rule():
    allowed = read_exceptions(EXCEPTIONS.read_text(encoding="utf-8"))
    findings = inspect(read_repository(), allowed)
    assert findings == [], "\n".join(str(finding) for finding in findings)


def test_every_check_has_a_bad_sample():
    assert set(CHECKS) == set(SAMPLES)


def test_the_requirements_are_pinned_by_hash_and_name_no_address():
    for name in ("shop", "test"):
        text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
        pins = [line for line in text.split("\n") if line and not line.startswith((" ", "#"))]
        assert len(pins) > 50
        assert [line for line in pins if "==" not in line or not line.endswith("\\")] == []
        assert "://" not in text


def test_the_checks_run_without_pytest():
    command = [sys.executable, "tests/house", "tests/house"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert f"house: {len(CHECKS)} checks" in done.stdout, done.stderr
    assert done.stdout.endswith(", 0 findings\n")
    assert done.returncode == 0
