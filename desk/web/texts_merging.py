"""The words of the desk in German and English: cases that belong together, and who is writing."""

MERGING_TERMS = {
    "together": ("Gehört zusammen mit …", "Belongs together with …"),
    "together_lead": (
        "Wer doppelt wartet, bekommt hier beides beantwortet, dort, wo zuletzt geschrieben wurde.",
        "Who waits twice is answered here on both, where they wrote last.",
    ),
    "together_case": ("Fall", "Case"),
    "together_same": ("dieselbe angemeldete Person", "the same identified customer"),
    "together_alike": ("vielleicht dieselbe Person", "perhaps the same person"),
    "together_id": ("oder die Adresse oder Kennung des Falls", "or the case's address or id"),
    "together_none": ("nichts gewählt", "none chosen"),
    "together_do": ("Zusammenlegen", "Put together"),
    "together_here": ("Hier mit beantwortet", "Answered here as well"),
    "together_there": (
        "Dieser Fall wird in einem anderen beantwortet:",
        "This case is answered in another one:",
    ),
    "together_apart": ("Trennen", "Take apart"),
    "merged_line": ("mit einem anderen Fall zusammengelegt", "put together with another case"),
    "state_merged": ("zusammengelegt", "put together"),
    "reason_merged": ("zusammengelegt", "put together"),
    "reason_unmerged": ("wieder getrennt", "taken apart again"),
    "reason_lead_gone": ("der andere Fall wurde gelöscht", "the other case was erased"),
    "reason_other_team": ("ging an ein anderes Team", "went to another team"),
    "reason_other_customer": ("zwei verschiedene Kunden", "two different customers"),
    "done_merged": ("Zusammengelegt.", "Put together."),
    "done_unmerged": ("Getrennt; der Fall wartet wieder.", "Taken apart; the case waits again."),
    "refused_same_case": (
        "Das ist dasselbe Gespräch.",
        "That is the same conversation.",
    ),
    "refused_no_case": ("Diesen Fall gibt es nicht.", "There is no such case."),
    "refused_merged": (
        "Dieser Fall wird in einem anderen beantwortet.",
        "This case is answered in another one.",
    ),
    "refused_leads": (
        "In jenem Fall wird schon ein anderer mit beantwortet. Legen Sie diesen dort dazu.",
        "Another case is answered in that one already. Put this one together with it there.",
    ),
    "refused_other_team": (
        "Die beiden liegen bei verschiedenen Teams. Geben Sie zuerst einen Fall weiter.",
        "The two are with different teams. Pass one of them on first.",
    ),
    "refused_other_customer": (
        "Das sind zwei verschiedene Kunden, die sich beide ausgewiesen haben.",
        "These are two different customers, both identified.",
    ),
    "typing_customer": ("{name} schreibt …", "{name} is typing …"),
}
