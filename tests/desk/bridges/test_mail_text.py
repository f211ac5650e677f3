"""What a person wrote is found in mails as real programs write them."""

from email import message_from_bytes, policy
from email.message import EmailMessage
from time import process_time

import pytest

from desk.bridges.html_text import text_of_html
from desk.bridges.mail_text import MOST_LOGO_BYTES, body_of, files_of, own_words

ATTRIBUTION = "Am 22.11.26 um 10:00 schrieb Tresen <desk@k.test>:"
OUTLOOK = (
    "<body><div class=WordSection1><p class=MsoNormal>Hallo,</p><p class=MsoNormal>&nbsp;</p>"
    "<p class=MsoNormal>es kommt.</p><div style='border-top:solid #E1E1E1 1.0pt'><p><b>Von:</b> "
    "Tresen &lt;d@k.test&gt;<br><b>Gesendet:</b> Sonntag<br><b>An:</b> t<br><b>Betreff:</b> x</p>"
    "</div><p>alt</p></div></body>"
)
GMAIL = (
    '<div dir="ltr">Hallo</div><div class="gmail_quote"><div class="gmail_attr">Am So., 22. Nov. '
    "2026 um 10:00 Uhr schrieb Tresen &lt;<a href='mailto:d@k.test'>d@k.test</a>&gt;:<br></div>"
    "<blockquote>alt</blockquote></div>"
)
THUNDERBIRD = (
    f'<div class="moz-cite-prefix">{ATTRIBUTION[:30]} Tresen:</div><blockquote>Wo?</blockquote>'
    '<p>Unterwegs.</p><div class="moz-signature">-- <br>Nora</div>'
)


def parsed(head, body):
    return message_from_bytes(head.encode() + b"\r\n\r\n" + body, policy=policy.default)


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        (f"{ATTRIBUTION}\n> Wo ist es?\n\nUnterwegs.\n\n-- \nNora", "Unterwegs."),
        (f"Hallo Mika,\n\n{ATTRIBUTION}\n> Wo?\n\nUnterwegs.", "Hallo Mika,\n\nUnterwegs."),
        (f"{ATTRIBUTION}\n> Wo?\nHier.\n> Wann?\nMorgen.", "Hier.\nMorgen."),
        ("Ja\n\nOn Sun, Nov 22, 2026 at 10:00 AM Tresen <\ndesk@k.test> wrote:\n> x", "Ja"),
        ("Ja\n\n-----Ursprüngliche Nachricht-----\nVon: T\nGesendet: S\nAn: t\nBetreff: x", "Ja"),
        (f"Ja.\n\nVon meinem iPhone gesendet\n\n> {ATTRIBUTION}\n> alt", "Ja."),
        ("Hi\n\nGet Outlook for iOS<https://aka.ms/x>\n________________________________\n", "Hi"),
        ("As I wrote:\nit is on its way.", "As I wrote:\nit is on its way."),
        (
            "Sent from our store today: one parcel.\nBye",
            "Sent from our store today: one parcel.\nBye",
        ),
    ],
)
def test_answers_below_and_between_quotes_are_found(reply, text):
    assert own_words(reply) == text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        (OUTLOOK, "Hallo,\n\nes kommt."),
        (GMAIL, "Hallo"),
        (THUNDERBIRD, "Unterwegs."),
        ('Track <a href="https://dhl.example/1">your parcel</a>.',
         "Track your parcel (https://dhl.example/1)."),
        ('<a href="https://k.test/">k.test</a> <a href="javascript:x()">y</a>', "k.test y"),
        ("<ul><li>one</li><li>two</li></ul>", "- one\n- two"),
    ],
)  # fmt: skip
def test_html_alone_is_enough(html, text):
    mail = EmailMessage()
    mail.set_content(html, subtype="html")
    assert own_words(body_of(mail)) == text


@pytest.mark.parametrize(
    ("charset", "body"),
    [
        ("iso-8859-1", "Grüße".encode("latin-1")),
        ("x-unknown", "Grüße".encode()),
        ("us-ascii", "Grüße".encode()),
        ("us-ascii", "Grüße".encode("cp1252")),
        ("utf-8", "Grüße".encode("cp1252")),
        ("utf-8", "\ufeffGrüße".encode()),
        ("\x00", "Grüße".encode()),
    ],
)
def test_a_charset_that_is_wrong_or_unknown_spoils_nothing(charset, body):
    mail = parsed(f'Content-Type: text/plain; charset="{charset}"', body)
    assert body_of(mail).strip() == "Grüße"


def test_an_unknown_charset_in_base64_is_decoded():
    head = 'Content-Type: text/plain; charset="x-mac"\r\nContent-Transfer-Encoding: base64'
    assert body_of(parsed(head, b"R3LDvMOfZQ==")) == "Grüße"


def test_lines_that_a_program_wrapped_are_whole_again():
    body = b"It is on \r\nits way.\r\n\r\n  Bye \r\n-- \r\nNora \r\n> a \r\n> b\r\n"
    head = "Content-Type: text/plain; charset=utf-8; format=flowed"
    assert body_of(parsed(head, body)) == "It is on its way.\n\n Bye \n-- \nNora \n> a \n> b\n"
    joined = body_of(parsed(f"{head}; delsp=yes", b"It is on \r\nits"))
    assert joined == "It is onits"


def test_text_after_a_picture_belongs_to_it():
    mail = EmailMessage()
    mail.set_content("before\n")
    mail.add_attachment(b"x" * 99, maintype="image", subtype="png", disposition="inline")
    mail.add_attachment("after\n", disposition="inline")
    mail.add_attachment("a log", filename="x.txt")
    assert body_of(mail).split() == ["before", "after"]
    assert files_of(mail) == 2


@pytest.mark.parametrize(("size", "files"), [(900, 0), (MOST_LOGO_BYTES + 1, 1)])
def test_the_logo_of_a_signature_is_no_file(size, files):
    mail = EmailMessage()
    mail.set_content('Hi <img src="cid:logo">', subtype="html")
    mail.add_related(b"x" * size, maintype="image", subtype="png", cid="<logo>")
    assert files_of(mail) == files


def test_a_signed_mail_is_read_and_its_signature_is_no_file():
    body = (
        b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\nContent-Type: text/plain"
        b"\r\n\r\nHello\r\n--c\r\nContent-Type: application/pdf\r\n\r\n%PDF\r\n--c--\r\n--b\r\n"
        b"Content-Type: application/pkcs7-signature; name=smime.p7s\r\n"
        b"Content-Disposition: attachment; filename=smime.p7s\r\n\r\nx\r\n--b--\r\n"
    )
    mail = parsed("Content-Type: multipart/signed; boundary=b", body)
    assert body_of(mail).strip() == "Hello"
    assert files_of(mail) == 1


def test_ends_of_links_that_never_began_take_no_time():
    begun = process_time()
    assert text_of_html("x</a>" * 30_000).startswith("xxx")
    assert process_time() - begun < 2


@pytest.mark.parametrize("raw", [b"", b"\xff\x00", b"Content-Type: multipart/mixed\r\n\r\nx"])
def test_what_is_no_mail_says_nothing(raw):
    mail = message_from_bytes(raw, policy=policy.default)
    assert len(body_of(mail)) <= 3
    assert files_of(mail) <= 1
