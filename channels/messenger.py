"""Facebook Messenger: the conversations of a Facebook page."""

from collections.abc import Mapping
from typing import Any

from channels.meta_page.account import Page, PageSettings, Traits
from channels.meta_page.channel import PageChannel
from channels.push import ChannelContext, ChannelLimits, read_settings

FIELDS = (
    *("messages", "messaging_postbacks", "message_echoes", "message_deliveries", "message_reads"),
    *("message_reactions", "message_edits", "messaging_referrals", "messaging_optins"),
    *("messaging_handovers", "standby", "messaging_policy_enforcement", "messaging_feedback"),
)
TRAITS = Traits(
    channel="messenger",
    object_name="page",
    limits=ChannelLimits(
        text_chars=2_000,
        buttons=13,
        button_chars=20,
        cards=10,
        card_title_chars=80,
        card_subtitle_chars=80,
        # 300 calls a second with words; pictures and films take 10, so that stays below.
        per_second=40.0,
        window_h=24,
    ),
    counts="utf16",
    echoes_name_app=True,
    replies_on_files=True,
    has_receipts=True,
    is_listed=False,
    file_kinds=("image", "audio", "video", "file"),
    profile_fields=("get_started", "greeting", "persistent_menu", "ice_breakers"),
    app_fields=FIELDS,
    page_fields=FIELDS,
)


def connect(settings: Mapping[str, Any], context: ChannelContext) -> PageChannel:
    """Return the channel of one Facebook page.

    Args:
        settings: what stands below `messenger` in endpoints.yml; see `PageSettings`.
        context: what every channel is given.

    Raises:
        SettingsInvalid: naming the key and what is wrong with it.
    """
    known = read_settings(TRAITS.channel, settings, PageSettings)
    return PageChannel(Page(known, TRAITS), context)
