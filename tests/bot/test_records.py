from bot.messages import Contact
from bot.records import BY_OPERATORS, ConversationFiles
from bot.storage.memory import memory_store
from channels.webchat.tokens import Signer
from channels.webchat.uploads import UploadStore
from tests.contracts.channel import NOW

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20


class NoShop:
    """A shop that keeps nothing of anybody."""

    async def find(self, conversation_id):
        return {}

    async def erase(self, conversation_id):
        return {}


async def test_a_conversations_files_are_erased_with_it_and_nobody_elses(tmp_path):
    store = memory_store(lambda: NOW)
    folder = UploadStore(tmp_path, Signer(b"a secret for these tests"))
    files = ConversationFiles(store, NoShop(), folder, lambda name: None)
    await store.contacts.save(Contact("webchat", "w1", NOW, None, "whatsapp:49", NOW))
    folder.keep("whatsapp:49", "a" * 32, PNG)
    folder.save("w1", "", PNG)
    folder.save("49", "", PNG)
    folder.keep("telegram:49", "b" * 32, PNG)
    assert len((await files.export("whatsapp:49"))["uploads"]) == 2
    assert (await files.erase("whatsapp:49"))["uploads"] == 2
    assert not folder.of_session("whatsapp:49")
    assert not folder.of_session("w1"), "who had joined from the web"
    assert folder.of_session("49"), "a session that happens to be called like the number"
    assert folder.of_session("telegram:49")
    assert (await files.erase("webchat:49"))["uploads"] == 1


async def test_what_operators_sent_goes_with_the_conversation(tmp_path):
    folder = UploadStore(tmp_path, Signer(b"a secret for these tests"))
    files = ConversationFiles(memory_store(lambda: NOW), NoShop(), folder, lambda name: None)
    for own in ("webchat:49", "webchat:50"):
        folder.save(f"{BY_OPERATORS}{own}", "label.png", PNG)
    assert len((await files.export("webchat:49"))["uploads"]) == 1
    assert (await files.erase("webchat:49"))["uploads"] == 1
    assert folder.of_session(f"{BY_OPERATORS}webchat:50"), "another conversation's"


async def test_what_the_desk_learnt_from_a_conversation_is_shown(tmp_path):
    class Learnt(NoShop):
        async def find(self, conversation_id):
            return {"desk_solved": [{"asked": "my parcel"}]}

    folder = UploadStore(tmp_path, Signer(b"a secret for these tests"))
    files = ConversationFiles(memory_store(lambda: NOW), Learnt(), folder, lambda name: None)
    assert (await files.export("webchat:49"))["desk_solved"] == [{"asked": "my parcel"}]
