"""Whatever is done to the rows behind the store's back, the chain shows it, and where."""

import json
import sqlite3
from contextlib import closing

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import given, settings

from bot.messages import utc_now
from bot.storage import chain as hashes
from bot.storage.chain_ports import Chain, Link
from bot.storage.codec import dump, from_us
from bot.storage.open import open_store
from bot.storage.ports import NewEvent
from bot.storage.verification import verify
from tests.contracts.storage import NOON, turn
from tests.contracts.storage_chain import ANNA, mark, talk

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
EVENTS = st.lists(
    st.tuples(st.sampled_from(["user", "bot", "slot"]), VALUES, st.integers(0, 2**50)),
    min_size=1,
    max_size=8,
)


def chain_of(events, key=ANNA):
    columns = [(kind, dump({"v": value}), at_us) for kind, value, at_us in events]
    rows, head = hashes.chained(key, None, hashes.hashed(columns, 0))
    links = tuple(
        Link(seq, kind, data, from_us(at_us), *rest)
        for seq, (kind, data, at_us, *rest) in enumerate(rows, 1)
    )
    return Chain(key, len(links), head, links)


@settings(max_examples=60, deadline=None)
@given(EVENTS)
def test_an_untouched_chain_is_intact(events):
    verdict = verify(chain_of(events))
    assert (verdict.state, verdict.events) == ("intact", len(events))


def replaced(field, value):
    def tamper(links, place):
        changed = msgspec.structs.replace(links[place], **{field: value})
        return [*links[:place], changed, *links[place + 1 :]]

    return tamper


def inserted(links, place):
    """Put an event in between, and count on behind it, as `seq` has no gap then."""
    new = msgspec.structs.replace(chain_of([("user", "smuggled in", 1)]).links[0], seq=place + 1)
    later = [msgspec.structs.replace(one, seq=one.seq + 1) for one in links[place:]]
    return [*links[:place], new, *later]


def appended(links, place):
    """Put an event at the end that follows the last one properly."""
    last = links[-1]
    digest = hashes.content_hash(b"x" * 16, last.seq + 1, ("user", "{}", 0))
    end = hashes.linked(last.chain, digest)
    return [*links, Link(last.seq + 1, "user", "{}", from_us(0), b"x" * 16, digest, end)]


OTHER_HASH = b"y" * 32
CHANGES = {
    "type": replaced("type", "session_started"),
    "data": replaced("data", dump({"v": 0, "w": 1})),
    "at": replaced("at", from_us(2**51)),
    "salt": replaced("salt", OTHER_HASH[:16]),
    "digest": replaced("digest", OTHER_HASH),
    "chain": replaced("chain", OTHER_HASH),
    "seq": replaced("seq", 99),
}
MOVES = {
    "removed": lambda links, place: links[:place] + links[place + 1 :],
    "doubled": lambda links, place: [*links[: place + 1], links[place], *links[place + 1 :]],
    "turned round": lambda links, place: links[:place] + links[place:][::-1],
    "inserted": inserted,
    "appended": appended,
}


@pytest.mark.parametrize("change", CHANGES)
@settings(max_examples=15, deadline=None)
@given(EVENTS, st.data())
def test_a_changed_row_is_found(change, events, data):
    chain = chain_of(events)
    place = data.draw(st.integers(0, len(events) - 1))
    links = tuple(CHANGES[change](list(chain.links), place))
    verdict = verify(msgspec.structs.replace(chain, links=links))
    assert (verdict.state, verdict.seq) == ("broken", place + 1)


@pytest.mark.parametrize("move", MOVES)
@settings(max_examples=25, deadline=None)
@given(EVENTS, st.data())
def test_a_row_too_many_too_few_or_out_of_place_is_found(move, events, data):
    chain = chain_of(events)
    last = len(events) - 1 - (move == "turned round")
    if last < 0:
        return
    place = data.draw(st.integers(0, last))
    links = tuple(MOVES[move](list(chain.links), place))
    verdict = verify(msgspec.structs.replace(chain, links=links))
    assert verdict.state == ("tail_missing" if links == chain.links[:-1] else "broken")


@settings(max_examples=25, deadline=None)
@given(EVENTS, st.data())
def test_a_tail_that_was_cut_off_is_found(events, data):
    chain = chain_of(events)
    place = data.draw(st.integers(0, len(events) - 1))
    verdict = verify(msgspec.structs.replace(chain, links=chain.links[:place]))
    assert (verdict.state, verdict.seq) == ("tail_missing", place + 1)


@pytest.mark.parametrize(
    "change", [{"head": OTHER_HASH}, {"version": 1}, {"version": 9}, {"conversation_id": "web:ben"}]
)
def test_a_conversation_that_says_something_else_is_found(change):
    chain = chain_of([("user", n, n) for n in range(3)])
    assert verify(msgspec.structs.replace(chain, **change)).state != "intact"


@settings(max_examples=100, deadline=None)
@given(VALUES)
def test_python_alone_can_compute_the_content_hash(value):
    """What docs/transcripts.md says of the canonical JSON, for all but floating-point numbers."""
    import hashlib

    text = dump({"v": value})
    plain = json.dumps(
        {"at_us": 5, "data": json.loads(text), "seq": 1, "type": "user"},
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    )
    expected = hashlib.sha256(b"s" * 16 + plain.encode()).digest()
    assert hashes.content_hash(b"s" * 16, 1, ("user", text, 5)) == expected


def test_the_order_of_keys_does_not_matter():
    one, other = '{"a":1,"b":{"c":2,"d":3}}', ' {"b": {"d":3, "c":2}, "a":1}'
    salt = hashes.new_salt()
    same = [hashes.content_hash(salt, 1, ("user", text, 0)) for text in (one, other)]
    assert same[0] == same[1]


def test_the_hashes_stay_what_they_are():
    """A change here would break every chain that was written before."""
    digest = hashes.content_hash(b"0" * 16, 1, ("user", '{"text":"Grüße","n":1.0}', 1_000))
    assert digest.hex()[:16] == "8b9e4ceac3022760"
    head = hashes.linked(hashes.first_link("web:anna"), digest)
    assert head.hex()[:16] == "518c9ec59f5448ba"
    assert hashes.seal(b"key", "web:anna", 1, head)[:16] == "99e9ffe2f25cde3a"


@pytest.fixture
async def store(tmp_path):
    store = await open_store(f"sqlite:///{tmp_path / 'tresen.sqlite3'}")
    yield store
    await store.close()


async def test_who_writes_into_the_file_is_seen(store, tmp_path):
    await talk(store, turns=4)
    for sql, state, seq in (
        ("UPDATE conversation_events SET data = '{}' WHERE seq = 2", "broken", 2),
        ("UPDATE conversation_events SET data = 'no JSON' WHERE seq = 2", "broken", 2),
        ("UPDATE conversation_events SET salt = NULL WHERE seq = 3", "broken", 3),
        ("DELETE FROM conversation_events WHERE seq = 3", "broken", 3),
        ("DELETE FROM conversation_events WHERE seq > 2", "tail_missing", 3),
        ("UPDATE conversations SET chain = NULL", "broken", 4),
        ("DELETE FROM conversations", "broken", 1),
    ):
        with closing(sqlite3.connect(tmp_path / "tresen.sqlite3")) as file:
            kept = list(file.iterdump())
            file.execute(sql)
            file.commit()
            verdict = verify(await store.chains.read(ANNA))
            assert (verdict.state, verdict.seq) == (state, seq), sql
            file.execute("DELETE FROM conversation_events")
            file.execute("DELETE FROM conversations")
            for line in kept:
                if line.startswith((
                    'INSERT INTO "conversation_events"',
                    'INSERT INTO "conversations"',
                )):
                    file.execute(line)
            file.commit()
        assert verify(await store.chains.read(ANNA)).state == "intact"


async def test_a_mark_covers_only_what_it_says(store, tmp_path):
    """Who redacts through the database, and forges the mark at the end, must forge the chain."""
    await talk(store)
    salt, data = hashes.new_salt(), {"text": "[redacted]"}
    await store.turns.commit(turn(ANNA, 3, events=[mark(2, data, salt)]))
    with closing(sqlite3.connect(tmp_path / "tresen.sqlite3")) as file:
        file.execute(
            "UPDATE conversation_events SET data = ?, salt = ? WHERE seq = 2", (dump(data), salt)
        )
        file.commit()
        assert verify(await store.chains.read(ANNA)).state == "intact"
        file.execute('UPDATE conversation_events SET data = \'{"text":"!"}\' WHERE seq = 2')
        file.commit()
    verdict = verify(await store.chains.read(ANNA))
    assert (verdict.state, verdict.seq) == ("broken", 2)
    later = NewEvent("redacted", mark(9, {}, salt).data, utc_now())
    await store.turns.commit(turn(ANNA, 4, events=[later]))
    assert verify(await store.chains.read(ANNA)).seq == 2


async def test_redacting_leaves_no_trace_in_the_files(store, tmp_path):
    from bot import events as ev
    from bot.redaction import Wanted, redact

    secret = "Traceless-7261"
    said = [NewEvent("user", ev.to_wire(ev.UserUttered(f"I am {secret}", "m1")), NOON)]
    await store.turns.commit(turn(ANNA, 0, events=said))
    assert any(secret.encode() in path.read_bytes() for path in tmp_path.iterdir())
    await redact(store, ANNA, Wanted("lea", "asked for", (1,)), NOON)
    assert not [p.name for p in tmp_path.iterdir() if secret.encode() in p.read_bytes()]


async def test_a_reader_of_old_pages_keeps_the_words_in_the_log_and_it_is_told(store, tmp_path):
    from bot import events as ev
    from bot.redaction import Wanted, redact

    said = [NewEvent("user", ev.to_wire(ev.UserUttered("my secret", "m1")), NOON)]
    await store.turns.commit(turn(ANNA, 0, events=said))
    with closing(sqlite3.connect(tmp_path / "tresen.sqlite3", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM conversation_events").fetchone()
        done = await redact(store, ANNA, Wanted("lea", "asked for", (1,)), NOON)
    assert (done.version, done.wiped) == (2, False)
    assert verify(await store.chains.read(ANNA)).state == "intact"
