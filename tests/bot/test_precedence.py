"""What platforms bring in goes before what is done with it, and nothing waits for ever."""

import asyncio
from contextlib import ExitStack

from bot.precedence import CROWD, LONGEST_S, MANY, Precedence


async def test_with_few_requests_a_turn_begins_at_once():
    precedence = Precedence()
    with precedence.taking():
        async with asyncio.timeout(LONGEST_S / 2):
            await precedence.give_way()


async def test_a_turn_waits_while_many_requests_are_taken():
    precedence = Precedence()
    done = []

    async def begin():
        await precedence.give_way()
        done.append("turn")

    with ExitStack() as requests:
        for _ in range(MANY):
            requests.enter_context(precedence.taking())
        assert precedence.is_pressed
        turn = asyncio.create_task(begin())
        await asyncio.sleep(0)
        assert not done
        done.append("taken")
    await turn
    assert done == ["taken", "turn"]
    assert not precedence.is_pressed


async def test_however_many_requests_come_turns_wait_together_and_begin_in_order():
    precedence = Precedence()
    begun = []

    async def begin(number):
        await precedence.give_way()
        begun.append(number)

    with ExitStack() as requests:
        for _ in range(MANY):
            requests.enter_context(precedence.taking())
        async with asyncio.timeout(20 * LONGEST_S):  # one after the other would take 100 times
            await asyncio.gather(*(begin(number) for number in range(100)))
    assert begun == list(range(100))


async def test_a_crowd_of_turns_is_pressure_and_a_cancelled_one_leaves_it():
    precedence = Precedence()
    with precedence.taking(), precedence.taking():
        waiting = [asyncio.create_task(precedence.give_way()) for _ in range(CROWD)]
        await asyncio.sleep(0)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    assert not precedence.is_pressed
    await precedence.give_way()
