"""Instagram: the direct messages of a professional account."""

from collections.abc import Mapping
from typing import Any

from channels.meta_page.account import Page, PageSettings, Traits
from channels.meta_page.channel import PageChannel
from channels.push import ChannelContext, ChannelLimits, read_settings

FIELDS = (
    *("messages", "messaging_postbacks", "messaging_seen", "message_reactions"),
    *("messaging_referral", "messaging_handover", "standby"),
)
TRAITS = Traits(
    channel="instagram",
    object_name="instagram",
    limits=ChannelLimits(
        text_chars=1_000,  # bytes of UTF-8
        buttons=13,
        button_chars=20,
        cards=10,
        card_title_chars=80,
        card_subtitle_chars=80,
        per_second=40.0,
        window_h=24,
    ),
    counts="utf8",
    # Echoes bring the message's id and nothing that names the app or hands a reference back: what
    # is in doubt is looked for among the messages of the conversation.
    echoes_name_app=False,
    replies_on_files=False,
    has_receipts=False,
    is_listed=True,
    file_kinds=("image", "audio", "video"),
    profile_fields=("persistent_menu", "ice_breakers"),
    app_fields=FIELDS,
    # The page that the account belongs to; its own messages are Messenger's.
    page_fields=("messages",),
    profile_platform="instagram",
)


def connect(settings: Mapping[str, Any], context: ChannelContext) -> PageChannel:
    """Return the channel of one professional account.

    Args:
        settings: what stands below `instagram` in endpoints.yml; see `PageSettings`.
        context: what every channel is given.

    Raises:
        SettingsInvalid: naming the key and what is wrong with it.
    """
    known = read_settings(TRAITS.channel, settings, PageSettings)
    return PageChannel(Page(known, TRAITS), context)
