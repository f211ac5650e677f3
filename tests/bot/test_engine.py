"""The dialogue engine, spoken to: asking, correcting, leaving, coming back, agreeing."""

import pytest

from tests.bot.kit import INTENTS, small_bot


async def test_questions_come_one_after_the_other_and_a_yes_does_it(bot):
    assert await bot.says("a pizza please") == ["size?"]
    assert await bot.says("small") == ["topping?"]
    assert await bot.says("ham") == ["note?"]
    assert await bot.says("skip") == ["bake small ham None for 10?"]
    assert await bot.says("yes") == ["baked small ham", "[completed]"]
    assert bot.kitchen.baked == ["small ham small-ham-10"]


async def test_what_was_said_before_is_not_asked_for(bot):
    bot.router._parser.intents["a large pizza with olives"] = "pizza"
    assert await bot.says("a large pizza with olives") == ["note?"]


async def test_a_correction_with_its_value_keeps_what_came_before(bot):
    await bot.hears("a pizza please", "small", "ham", "skip")
    assert await bot.says("make it large") == ["[corrected]", "bake large ham None for 10?"]


async def test_a_correction_without_value_asks_again(bot):
    await bot.hears("a pizza please", "small")
    assert await bot.says("no, the other size") == ["[corrected]", "size?"]
    assert await bot.says("large") == ["topping?"]


async def test_cancel_ends_the_skill(bot):
    await bot.hears("a pizza please", "small")
    assert await bot.says("stop") == ["[cancelled]"]
    assert (await bot.conversation()).stack == []
    assert await bot.says("stop") == ["[nothing_to_cancel]"]


async def test_a_digression_is_answered_and_the_question_asked_again(bot):
    await bot.says("a pizza please")
    assert await bot.says("when are you open") == ["nine to five", "[resumed]", "size?"]
    assert await bot.says("small") == ["topping?"]


async def test_digressions_nest(bot):
    await bot.hears("a pizza please", "book a table")
    assert await bot.says("when are you open") == ["nine to five", "[resumed]", "guests?"]
    assert await bot.says("4") == ["table for 4", "[resumed]", "size?"]


async def test_several_wishes_are_handled_in_order(bot):
    text = "book a table and also when are you open and also a pizza please"
    assert await bot.says(text) == ["guests?"]
    assert await bot.says("3") == [
        "table for 3", "[next_wish]", "nine to five", "[next_wish]", "size?",
    ]  # fmt: skip


async def test_two_readings_are_put_to_the_customer(tmp_path):
    bot = small_bot(tmp_path, intents={**INTENTS, "tonight": "pizza|table"})
    assert await bot.says("tonight") == ["[clarify]"]
    assert await bot.says('/SetSlots(reading="table")') == ["guests?"]


async def test_repeat_says_the_last_answer_again(bot):
    await bot.says("a pizza please")
    assert (await bot.says("say that again"))[0] == "size?"


async def test_a_required_question_cannot_be_skipped_but_repeats(bot):
    await bot.says("a pizza please")
    assert await bot.says("skip") == ["[cannot_skip]", "size?"]


async def test_not_knowing_gets_help_then_the_question(bot):
    await bot.says("a pizza please")
    assert await bot.says("no idea") == ["[dont_know]", "size?"]


async def test_not_knowing_goes_where_the_step_says(tmp_path):
    skill = """
skill: code
title: {en: Code}
slots: {code: code}
steps:
  - collect: code
    dont_know: lost
  - say: utter_right
  - end
  - id: lost
    say: utter_lost
responses: {utter_ask_code: {en: "code?"}, utter_right: {en: right}, utter_lost: {en: lost}}
"""
    bot = small_bot(tmp_path, skill, intents={**INTENTS, "the code": "code"})
    assert await bot.says("the code") == ["code?"]
    assert await bot.says("no idea") == ["lost", "[completed]"]


async def test_unusable_answers_are_counted(bot):
    await bot.says("a pizza please")
    assert await bot.says("purple") == ["[rejected 1]", "size?"]
    assert await bot.says("green") == ["[rejected 2]", "size?"]
    assert await bot.says("large") == ["topping?"]


async def test_a_value_that_fails_its_check_gets_the_slots_own_message(bot):
    await bot.says("book a table")
    assert await bot.says("25") == ["[rejected 1 at most 19]", "guests?"]


async def test_start_over_drops_everything(bot):
    await bot.hears("a pizza please", "book a table")
    assert await bot.says("start over") == ["[restarted]"]
    assert (await bot.conversation()).stack == []


LOOP = """
skill: parcel
title: {en: Pack}
slots:
  things: {type: any, initial: [cup, lamp]}
  wrap: yes_no
  packed: {type: any, initial: []}
steps:
  - repeat: things
    as: thing
    steps:
      - collect: wrap
      - set: {packed: "packed + [{'thing': thing, 'wrap': wrap}]"}
  - say: utter_packed
responses:
  utter_ask_wrap: {en: "wrap {{ thing }}?"}
  utter_packed: {en: "{% for p in packed %}{{ p.thing }}={{ p.wrap }} {% endfor %}"}
"""


async def test_a_loop_asks_anew_for_each_item(tmp_path):
    bot = small_bot(tmp_path, LOOP, intents={**INTENTS, "pack it": "parcel"})
    assert await bot.says("pack it") == ["wrap cup?"]
    assert await bot.says("yes") == ["wrap lamp?"]
    assert (await bot.says("no"))[0] == "cup=True lamp=False"


CALLER = """
skill: caller
title: {en: Call}
slots: {result: any}
steps:
  - call: callee
    with: {start: "2"}
    returns: {result: total}
  - say: utter_result
responses: {utter_result: {en: "result {{ result }}"}}
"""
CALLEE = """
skill: callee
title: {en: Called}
listed: false
slots: {start: any, total: any, more: quantity}
steps:
  - collect: more
  - if: "more == 0"
    then: [{end: failed}]
  - set: {total: "start + more"}
responses: {utter_ask_more: {en: "more?"}}
"""


async def test_a_called_skill_hands_its_result_back(tmp_path):
    bot = small_bot(tmp_path, CALLER, CALLEE, intents={**INTENTS, "call": "caller"})
    assert await bot.says("call") == ["more?"]
    assert (await bot.says("5"))[0] == "result 7"


async def test_a_failed_end_ends_the_caller_too(tmp_path):
    bot = small_bot(tmp_path, CALLER, CALLEE, intents={**INTENTS, "call": "caller"})
    assert await bot.hears("call", "0") == ["[completed]"]
    assert (await bot.conversation()).stack == []


async def test_after_a_handoff_the_bot_is_silent(tmp_path):
    skill = "skill: person\ntitle: {en: P}\nsteps: [{say: utter_p}, {handoff: asked}]\n"
    skill += "responses: {utter_p: {en: wait}}\n"
    bot = small_bot(tmp_path, skill, intents={**INTENTS, "human": "person"})
    await bot.says("a pizza please")
    assert await bot.says("human") == ["wait"]
    assert (await bot.conversation()).handoff == "waiting_for_operator"
    assert await bot.says("small") == []
    assert await bot.says("stop") == []
    assert [event.text for event in await bot.events("user")][-1] == "stop"


async def _at_the_plan(bot):
    assert (await bot.hears("a pizza please", "small", "ham", "skip"))[-1].startswith("bake")


@pytest.mark.parametrize(
    "text", ["yes but with olives", "yes?", "yes if it is quick", "ok 12345", "maybe", "ham", "hm"]
)
async def test_only_a_plain_yes_is_consent(bot, text):
    await _at_the_plan(bot)
    await bot.says(text)
    assert bot.kitchen.baked == []
    assert await bot.events("consent_given") == []


@pytest.mark.parametrize("text", ["yes", "Yes please!", "ok, go ahead", "👍", "/affirm", "ja"])
async def test_plain_words_of_consent_are_enough(bot, text):
    await _at_the_plan(bot)
    await bot.says(text)
    assert len(bot.kitchen.baked) == 1


async def test_a_no_changes_nothing(bot):
    await _at_the_plan(bot)
    assert await bot.says("no thanks") == ["nothing changed", "[completed]"]
    assert bot.kitchen.baked == []


async def test_consent_is_to_the_plan_that_was_shown(bot):
    bot.kitchen.prices = [10, 12]
    await _at_the_plan(bot)
    assert await bot.says("yes") == ["bake small ham None for 12?"]
    assert bot.kitchen.baked == []
    await bot.says("yes")
    assert bot.kitchen.baked == ["small ham small-ham-12"]
    given = [event.plan_hash for event in await bot.events("consent_given")]
    assert given == ["small-ham-10", "small-ham-12"]


async def test_a_correction_at_the_plan_needs_a_new_yes(bot):
    await _at_the_plan(bot)
    await bot.hears("rather olives", "skip")
    assert bot.kitchen.baked == []
    await bot.says("yes")
    assert bot.kitchen.baked == ["small olives small-olives-10"]


async def test_a_failing_action_ends_the_skill_with_an_apology(bot):
    await _at_the_plan(bot)
    bot.kitchen.broken = True
    assert await bot.says("yes") == ["[error]"]
    assert (await bot.conversation()).stack == []
    assert (await bot.events("action"))[-2].error


async def test_a_condition_that_cannot_be_evaluated_ends_the_skill(tmp_path):
    skill = "skill: odd\ntitle: {en: O}\nslots: {map: {type: any, initial: {}}}\n"
    skill += "steps: [{if: 'map.gone == 1', then: [end]}]\n"
    bot = small_bot(tmp_path, skill, intents={**INTENTS, "odd": "odd"})
    assert await bot.says("odd") == ["[error]"]


async def test_a_circle_of_steps_is_broken(tmp_path):
    skill = "skill: circle\ntitle: {en: C}\nslots: {n: any}\n"
    skill += "steps: [{id: a, set: {n: '1'}}, {goto: a}]\n"
    bot = small_bot(tmp_path, skill, intents={**INTENTS, "turn": "circle"})
    await bot.says("turn")
    assert all(frame.flow_id != "circle" for frame in (await bot.conversation()).stack)
    assert await bot.says("a pizza please") == ["size?"]


async def test_a_file_without_words_answers_an_optional_question(bot):
    await bot.hears("a pizza please", "small", "ham")
    answer = await bot.says("", attachments=["/uploads/a.png"])
    assert answer == ["bake small ham None for 10?"]
    assert (await bot.conversation()).slots["attachments"] == ["/uploads/a.png"]


async def test_a_file_at_another_moment_is_kept(bot):
    assert await bot.says("", attachments=["/uploads/a.png"]) == ["[attachment]"]
    await bot.says("a pizza please")
    answer = await bot.says("", attachments=["/uploads/b.png"])
    assert answer == ["[attachment]", "size?"]
    assert (await bot.conversation()).slots["attachments"] == ["/uploads/a.png", "/uploads/b.png"]
