"""The issue's list of bad input against every channel's webhook, through the real application.

Whatever comes, the platform gets an answer that does not make it disable the webhook, and nothing
of it is taken for a customer's words.
"""

import asyncio
import copy
import json
from urllib.parse import parse_qsl, urlencode

import msgspec
import pytest

from bench.channels.stand import utc_now
from bot.storage.memory import memory_store
from channels.base import WebhookRequest
from tests.contracts.channel_invariants import forgeries
from tests.contracts.mounted import Mounted
from tests.integration.webhooks import HOOKS, REFUSED

ODD = (
    None,
    True,
    0,
    -1,
    2**70,
    1e308,
    "",
    "x",
    "\ud800",
    "\x00",
    "9" * 5_000,
    [],
    {},
    [[1]],
    {"a": 1},
)
SIGNED_JSON = {
    "nothing": b"",
    "a word": b"hallo",
    "null": b"null",
    "a list": b"[]",
    "a text": b'"x"',
    "a number": b"1" * 5_000,
    "an empty object": b"{}",
    "invalid UTF-8": b'{"object": "\xff\xfe", "entry": []}',
    "100,000 levels of lists": b"[" * 100_000,
    "100,000 levels of objects": b'{"entry":' * 100_000 + b"1" + b"}" * 100_000,
    "100,000 levels within an object": b'{"entry": [{"x": '
    + b"[" * 100_000
    + b"]" * 100_000
    + b"}]}",
    "NaN": b'{"entry": NaN, "update_id": NaN}',
    "a huge number": b'{"update_id": 1' + b"0" * 4_000 + b"}",
    "a zip bomb": b"\x1f\x8b" + b"\x00" * 1_000,
}


@pytest.fixture(params=HOOKS, ids=lambda hook: hook.name)
def hook(request):
    return request.param()


@pytest.fixture
async def mounted(hook, tmp_path):
    mounted = Mounted(memory_store(utc_now), tmp_path, hook.channel())
    yield mounted
    await mounted.close()


async def heard(mounted) -> list[str]:
    """Return what customers were heard to say, once all of it is handled."""
    await mounted.dispatcher.close()
    return sorted(text for texts in (await mounted.handled()).values() for text in texts)


async def statuses(mounted, requests) -> list[int]:
    return [(await mounted.brought(request)).status for request in requests]


async def test_the_good_request_is_taken_once_however_often_it_is_replayed(hook, mounted):
    request = hook.good()
    assert await statuses(mounted, [request] * 3) == [200] * 3
    assert await heard(mounted) == ["hallo"]


async def test_unsigned_and_wrongly_signed(hook, mounted):
    good = hook.good()
    longer = msgspec.structs.replace(good, body=good.body + b" ")
    empty = msgspec.structs.replace(good, headers=dict.fromkeys(good.headers, ""))
    strange = {
        name: value if name == "content-type" else "ü€\x7f" for name, value in good.headers.items()
    }
    odd = msgspec.structs.replace(good, headers=strange)
    forged = [*forgeries(good), empty, odd]
    if hook.name not in {"telegram", "rest"}:  # their proof is a secret, not a signature
        forged += [longer, msgspec.structs.replace(good, body=b"")]
    for request in forged:
        reply = await mounted.brought(request)
        assert reply.status in {400, *REFUSED}, request.headers
        assert b"hallo" not in reply.body
    assert await heard(mounted) == []


@pytest.mark.parametrize("case", SIGNED_JSON)
async def test_well_signed_nonsense(hook, mounted, case):
    reply = await mounted.brought(hook.signed(SIGNED_JSON[case]))
    harmless = (
        {200} if case in {"an empty object", "a list"} else set()
    )  # may be a report of Twilio's
    assert reply.status in {400, 413, *REFUSED, *harmless}
    assert await heard(mounted) == []


async def test_five_megabytes(hook, mounted):
    for body in (b"x" * 5_000_000, b'{"entry": [' + b"1," * 2_500_000 + b"1]}"):
        assert (await mounted.brought(hook.signed(body))).status == 413
    assert (
        await mounted.brought(msgspec.structs.replace(hook.good(), body=b"x" * 5_000_000))
    ).status == 413
    assert await heard(mounted) == []


async def test_truncated_anywhere(hook, mounted):
    body = hook.good().body
    for end in range(1, len(body) - 1, 7):
        if hook.is_form:
            fields = dict(parse_qsl(body[:end].decode(errors="ignore"), keep_blank_values=True))
            reply = await mounted.brought(hook.form(fields))
            assert reply.status < 500
        else:
            assert (await mounted.brought(hook.signed(body[:end]))).status in {400, *REFUSED}
    assert set(await heard(mounted)) <= {"hallo"[:length] for length in range(6)}


async def test_other_accounts(hook, mounted):
    body = hook.good().body
    if hook.is_form:
        request = hook.form(hook.foreign_body(dict(parse_qsl(body.decode()))))
    else:
        request = hook.signed(json.dumps(hook.foreign_body(json.loads(body))).encode())
    assert (await mounted.brought(request)).status in hook.foreign
    assert await heard(mounted) == []


async def test_without_parameters_and_with_other_methods(hook, mounted):
    path = hook.good().path
    for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
        for query in ({}, {"hub.mode": "subscribe"}, {"hub.challenge": "<b>1</b>"}):
            reply = await mounted.brought(WebhookRequest(method, path, query))
            assert 400 <= reply.status < 500, method
            assert b"<b>" not in reply.body


async def test_extra_fields_of_a_later_version(hook, mounted):
    if hook.name == "rest":
        pytest.skip("our own interface names every field that it does not know")
    body = hook.good().body
    if hook.is_form:
        fields = {**dict(parse_qsl(body.decode())), "Brand%New": "1", "Ünknown": "x" * 1_000}
        request = hook.form(fields)
    else:
        request = hook.signed(json.dumps(with_extras(json.loads(body))).encode())
    assert (await mounted.brought(request)).status == 200
    assert await heard(mounted) == ["hallo"]


async def test_every_field_missing_or_odd(hook, mounted):
    """Never a 5xx and never a crash, whatever stands in whichever place."""
    body = hook.good().body
    if hook.is_form:
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True))
        requests = [
            hook.form({**fields, name: str(value).encode("utf-8", "replace").decode()})
            for name in fields
            for value in ODD
        ]
        requests += [hook.form({n: v for n, v in fields.items() if n != gone}) for gone in fields]
        bytes_of = urlencode(fields).encode()
        requests += [msgspec.structs.replace(hook.form(fields), body=bytes_of + b"&x=%ff%00")]
    else:
        requests = [
            hook.signed(json.dumps(changed).encode()) for changed in mutations(json.loads(body))
        ]
    found = await statuses(mounted, requests)
    assert len(found) > 50
    assert set(found) <= {200, 400, 413, *REFUSED}
    await asyncio.sleep(0)
    await heard(mounted)


def with_extras(value):
    """Return a body with a field more in every object of it."""
    if isinstance(value, dict):
        return {
            **{name: with_extras(item) for name, item in value.items()},
            "brand_new": [{"a": None}],
        }
    return [with_extras(item) for item in value] if isinstance(value, list) else value


def mutations(body):
    """Yield the body with every value in it replaced by odd ones, and with every key gone."""
    for path in paths(body):
        for value in (*ODD, KeyError):
            changed = copy.deepcopy(body)
            place = changed
            for step in path[:-1]:
                place = place[step]
            if value is KeyError:
                del place[path[-1]]
            else:
                place[path[-1]] = value
            yield changed


def paths(value, before=()):
    steps = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for name, item in steps:
        yield (*before, name)
        yield from paths(item, (*before, name))
