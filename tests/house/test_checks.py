"""Every house check finds its bad sample and leaves the good one alone."""

import pytest

from tests.house import dependencies, shape, words
from tests.house.inspection import Allowed, inspect, read_exceptions
from tests.house.source import Finding, Source

BODY = "\n".join(["    x = 1"] * 40)
PARAMETERS = ", ".join(f"p{i}" for i in range(6))
METHODS = "".join(f"    @abstractmethod\n    def m{i}(self): ...\n" for i in range(5))
WORD = words.BANNED_WORD
DOT = "."
HOST = f"files{DOT}pythonhosted{DOT}org"

SAMPLES = {
    shape.file_length: (
        Source("bot/x.py", "x = 1\n" * 400),
        Source("bot/x.py", "x = 1\n" * 401),
    ),
    shape.function_length: (
        Source("bot/x.py", f'def f():\n    """Say.\n\n    More.\n    """\n{BODY[10:]}\n'),
        Source("bot/x.py", f"def f():\n{BODY}\n"),
    ),
    shape.constructor_width: (
        Source("bot/x.py", f"class A:\n    def __init__(self, {PARAMETERS}): ...\n"),
        Source("bot/x.py", f"class A:\n    def __init__(self, {PARAMETERS}, *, p6): ...\n"),
    ),
    shape.port_width: (
        Source("bot/x.py", f"class A:\n{METHODS}    def m5(self): ...\n"),
        Source("bot/x.py", f"class A:\n{METHODS}    @abc.abstractmethod\n    def m5(self): ...\n"),
    ),
    shape.module_name: (Source("bot/words.py", ""), Source("bot/utils.py", "")),
    shape.empty_init: (Source("bot/__init__.py", "\n"), Source("bot/__init__.py", "import os\n")),
    shape.no_mock: (
        Source("tests/x.py", "import unittest\n"),
        Source("tests/x.py", "from unittest.mock import Mock\n"),
    ),
    words.banned_word: (
        Source("bot/x.py", f"# the User-{WORD} header\ntext = 'an {WORD}, please'\nreagent = 1\n"),
        Source("bot/x.py", f"class {WORD.title()}Desk:\n    pass\n"),
    ),
    words.registry_host: (
        Source("README.md", "pip install tresen\n"),
        Source("README.md", f"https://{HOST}/simple\n"),
    ),
    dependencies.undeclared_import: (
        Source("bot/x.py", "import json\nimport yaml\nfrom bot.messages import Card\n"),
        Source("bot/x.py", "import pluggy\n"),
    ),
}


@pytest.mark.parametrize("check", SAMPLES, ids=lambda check: check.__name__)
def test_check_passes_the_good_sample_and_finds_the_bad_one(check):
    good, bad = SAMPLES[check]
    assert list(check(good)) == []
    findings = list(check(bad))
    assert [finding.check for finding in findings] == [check.__name__]
    assert str(findings[0]).startswith(f"{bad.path}:")


@pytest.mark.parametrize("module", ["mock", "mock.mock", "pytest_mock", "unittest.mock"])
def test_every_way_to_import_a_mock_is_found(module):
    assert list(shape.no_mock(Source("tests/x.py", f"import {module}\n")))


@pytest.mark.parametrize(
    "text",
    [
        f"def route_to_{WORD}(): ...\n",
        f"# hand over to the human {WORD}s\n",
        f'"""Routes to an {WORD}."""\n',
        f"{WORD}Id = 1\n",
    ],
)
def test_the_banned_word_is_found_in_names_comments_and_docstrings(text):
    assert list(words.banned_word(Source("desk/x.py", text)))


def test_the_banned_word_is_allowed_where_customers_speak():
    sample = f"examples: [I want an {WORD}]\n"
    assert list(words.banned_word(Source("data/skills/talk_to_human.yml", sample))) == []
    assert list(words.banned_word(Source("config.yml", sample)))


def test_a_requirement_is_read_without_its_version_and_marker():
    pyproject = (
        "[project]\ndependencies = ['PyYAML>=6', 'uvloop>=0.2; sys_platform != \"win32\"']\n"
        "[project.optional-dependencies]\nshop = ['tresen[nlu]']\n"
    )
    assert dependencies.declared_distributions(pyproject) == {"pyyaml", "uvloop", "tresen"}


def test_an_exception_covers_its_finding_only():
    source = Source("bot/utils.py", "")
    allowed = Allowed("module_name", "bot/utils.py", "kept for a reason")
    assert inspect([source], [allowed]) == []
    assert inspect([source], [Allowed("no_mock", "bot/utils.py", "other")])[0].check == (
        "module_name"
    )


def test_an_exception_that_nothing_needs_is_a_finding():
    stale = Allowed("module_name", "bot/x.py", "was needed once", name="utils")
    assert inspect([Source("bot/x.py", "")], [stale]) == [
        Finding(
            "exceptions",
            "bot/x.py",
            1,
            "module_name/utils",
            "nothing needs this exception any more: remove it",
        )
    ]


def test_an_exception_without_a_reason_is_refused():
    entry = '[[exception]]\ncheck = "no_mock"\npath = "a.py"\nreason = " "\n'
    with pytest.raises(ValueError, match="gives no reason"):
        read_exceptions(entry)


def test_a_file_that_does_not_parse_is_a_finding():
    findings = inspect([Source("bot/x.py", "x = 1\ndef f(:\n")], [])
    assert [(finding.check, finding.line) for finding in findings] == [("syntax", 2)]
