"""A bot that talks to the demo shop, once per module."""

import pytest

from tests.conversations.back_office import BackOffice
from tests.conversations.talk import Talk


@pytest.fixture(scope="module")
def talk(tmp_path_factory):
    talk = Talk(tmp_path_factory.mktemp("talk"))
    yield talk
    talk.close()


@pytest.fixture(scope="module")
def office(talk):
    return BackOffice(talk)


@pytest.fixture
def customer(talk):
    return talk.customer()
