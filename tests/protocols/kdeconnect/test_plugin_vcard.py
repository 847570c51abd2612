"""Cards as many programs write them, and texts that are none."""

import quopri
import time

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.rumpus.protocols.json_fields import MAX_TEXT
from custom_components.rumpus.protocols.kdeconnect.plugins.vcard import (
    MAX_ADDRESS,
    MAX_CARD,
    MAX_EMAILS,
    MAX_LINES,
    MAX_NUMBERS,
    MAX_PROPERTIES,
    MAX_VALUE,
    MIN_MATCH,
    Contact,
    number_key,
    parse_vcard,
    same_number,
)

VERSION_2 = """BEGIN:VCARD\r
VERSION:2.1\r
N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=\r
=B6rg;;Dr.;\r
FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:J=C3=B6rg M=C3=BCller\r
TEL;CELL;PREF:+49 151 1234567\r
TEL;HOME:030/1234567\r
EMAIL;HOME:joerg@example.org\r
PHOTO;ENCODING=BASE64;JPEG:/9j/4AAQSkZJRgABAQAAAQ\r
 ABAAD/2wBDAAgGBgcGBQgHBwcJCQ==\r
\r
END:VCARD\r
"""
VERSION_3 = """BEGIN:VCARD
VERSION:3.0
N:Doe;Jane;Ann Mary;Dr.;MD
item1.TEL;TYPE="cell,voice";X-NOTE="a:b;c":+1 555
 -0100
item1.X-ABLabel:work: yes
TEL;TYPE=home:+1 555-0100
EMAIL;TYPE=INTERNET:jane\\,doe@example.org
END:VCARD
"""
VERSION_4 = """begin:vcard\r
version:4.0\r
fn;language=en:Jane\\, the\\nSecond\r
tel;value=uri;type="voice,home":tel:+1-555-0100;ext=5\r
email:mailto:jane@example.org\r
end:vcard\r
"""

characters = st.characters(exclude_categories=["Cs", "Cc", "Z"])
names = st.text(characters, min_size=1, max_size=60)


def card(*lines: str) -> Contact:
    """Return the contact of some lines."""
    return parse_vcard("\r\n".join(["BEGIN:VCARD", *lines, "END:VCARD"]))


def escaped(text: str) -> str:
    """Write a text as versions 3 and 4 do."""
    for sign in "\\,;":
        text = text.replace(sign, f"\\{sign}")
    return text


def test_version_2() -> None:
    assert parse_vcard(VERSION_2) == Contact(
        "Jörg Müller", ("+49 151 1234567", "030/1234567"), ("joerg@example.org",)
    )


def test_version_3() -> None:
    assert parse_vcard(VERSION_3) == Contact(
        "Dr. Jane Ann Mary Doe MD", ("+1 555-0100",), ("jane,doe@example.org",)
    )


def test_version_4() -> None:
    assert parse_vcard(VERSION_4) == Contact(
        "Jane, the Second", ("+1-555-0100",), ("jane@example.org",)
    )


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        (["FN:Ann", "N:Doe;Jane", "ORG:Acme"], "Ann"),
        (["FN: ", "N:Doe;Jane"], "Jane Doe"),
        (["N:Doe"], "Doe"),
        (["N:;;;;", "NICKNAME:Bob", "ORG:Acme"], "Bob"),
        (["ORG:Acme;Sales"], "Acme Sales"),
        (["EMAIL:a@b.c"], "a@b.c"),
        (["TEL:1"], None),
        (["FN:First", "FN:Second"], "First"),
        (["N:a\\;b;c"], "c a;b"),
        (["N:a\\;;c"], "c a;"),
        (["N:Doe;Jane\\"], "Jane Doe"),
        (["FN;ENCODING=b:QW5u", "ORG:Acme"], "Acme"),
        (["FN;BASE64:QW5u", "ORG:Acme"], "Acme"),
    ],
)
def test_best_name(lines: list[str], name: str | None) -> None:
    assert card(*lines).name == name


@pytest.mark.parametrize(
    ("parameters", "value"),
    [
        ("CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE", "J=F6rg"),
        ("charset=windows-1252;encoding=quoted-printable", "J=F6rg"),
        ("QUOTED-PRINTABLE", "J=C3=B6rg"),
        ("ENCODING=QUOTED-PRINTABLE", "J=C3=\r\n=B6rg"),
        ("ENCODING=QUOTED-PRINTABLE", "=\r\nJ=C3=B6=\r\nrg"),
        ("CHARSET=UTF-8", "J\r\n ö\r\n\trg"),
    ],
)
def test_encodings(parameters: str, value: str) -> None:
    assert card(f"FN;{parameters}:{value}", "TEL:1") == Contact("Jörg", ("1",))


@pytest.mark.parametrize("charset", ["unicode_escape", "punycode", "hex", "x", ""])
def test_unknown_character_sets_are_read_as_utf_8(charset: str) -> None:
    line = f"FN;CHARSET={charset};ENCODING=QUOTED-PRINTABLE:=5Cu0041=FF"

    assert card(line).name == "u0041\ufffd"


def test_quoted_printable_that_never_ends() -> None:
    assert parse_vcard("FN;QUOTED-PRINTABLE:Ann=").name == "Ann"


@pytest.mark.parametrize(
    "text",
    ["", "\r\n", "BEGIN:VCARD", "no colon", ":", ";:x", 'FN;X="a:b', "END:VCARD"],
)
def test_nothing_is_an_empty_contact(text: str) -> None:
    assert parse_vcard(text) == Contact()


def test_only_the_first_card_is_read() -> None:
    assert parse_vcard(VERSION_4 + VERSION_3) == parse_vcard(VERSION_4)


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_line_ends(end: str) -> None:
    assert parse_vcard(f"FN:Ann{end}TEL:1{end}") == Contact("Ann", ("1",))


def test_limit_of_card() -> None:
    text = "FN:Ann\r\n"

    assert parse_vcard(text.ljust(MAX_CARD)).name == "Ann"
    assert parse_vcard(text.ljust(MAX_CARD + 1)) == Contact()


def test_limit_of_lines() -> None:
    empty = "\n" * (MAX_LINES - 1)

    assert parse_vcard(f"{empty}FN:Ann").name == "Ann"
    assert parse_vcard(f"{empty}\nFN:Ann").name is None


def test_limit_of_properties() -> None:
    """Folded lines are one, and empty ones none."""
    before = ("NOTE:a\n b\n" * (MAX_PROPERTIES - 1)) + "\n"

    assert parse_vcard(f"{before}FN:Ann").name == "Ann"
    assert parse_vcard(f"{before}NOTE:a\nFN:Ann").name is None


def test_worst_card_does_not_take_long() -> None:
    """Many short properties take the longest."""
    worst = ("N:" + "a;" * 30 + "\n") * 8000
    begin = time.thread_time()
    assert parse_vcard(worst[:MAX_CARD]).name == "a a a a a"
    assert time.thread_time() - begin < 0.05


def test_limit_of_value() -> None:
    padding = " " * MAX_VALUE

    assert card(f"FN:{padding[3:]}Ann").name == "Ann"
    assert card(f"FN:{padding[2:]}Ann").name == "An"
    assert card(f"FN;{padding[4:]}:Ann").name == "Ann"
    assert card(f"FN;{padding[3:]}:Ann").name is None


def test_limit_of_name() -> None:
    assert card("FN:" + "n" * (MAX_TEXT + 1)).name == "n" * MAX_TEXT


def test_limit_of_numbers() -> None:
    lines = [f"TEL:{number}" for number in range(MAX_NUMBERS + 1)]

    assert card(*lines).numbers == tuple(map(str, range(MAX_NUMBERS)))


def test_limit_of_emails() -> None:
    lines = [f"EMAIL:{number}@b.c" for number in range(MAX_EMAILS + 1)]

    assert len(card(*lines).emails) == MAX_EMAILS


def test_limit_of_address() -> None:
    fitting = "1" * MAX_ADDRESS

    assert card(f"TEL:{fitting}1", f"TEL:{fitting}").numbers == (fitting,)
    assert card(f"EMAIL:{fitting}1", "EMAIL:").emails == ()


def test_nothing_private_is_shown() -> None:
    assert "secret" not in repr(Contact("secret", ("secret",), ("secret",)))


@settings(deadline=None)
@given(names, st.sampled_from([75, 5, 1]))
def test_folded_names_are_read(name: str, width: int) -> None:
    line = f"FN:{escaped(name)}"
    folded = "\r\n ".join(
        line[start : start + width] for start in range(0, len(line), width)
    )

    assert parse_vcard(folded).name == name


@settings(deadline=None)
@given(names)
def test_quoted_printable_names_are_read(name: str) -> None:
    value = quopri.encodestring(escaped(name).encode()).decode()

    assert parse_vcard(f"FN;ENCODING=QUOTED-PRINTABLE:{value}\r\n").name == name


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                *("FN", "N", "TEL", "EMAIL", "ORG", ";", ":", '"', "=", "\\", "\r\n "),
                *("ENCODING=QUOTED-PRINTABLE", "CHARSET=", "=C3", "\n", "tel:", "x"),
            ]
        )
        | st.text(max_size=5)
    ).map("".join)
)
def test_any_text_is_a_contact(text: str) -> None:
    contact = parse_vcard(text)

    assert contact.name is None or contact.name.split()
    assert all(contact.numbers)
    assert all(contact.emails)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("+49 151 1234567", "+491511234567"),
        ("+49 151 1234567", "0151/123 45 67"),
        ("+49 151 1234567", "0049 (151) 1234567"),
        ("+49 (0) 151 1234567", "+49-151-1234567"),
        ("+1 (555) 010-9999", "1-555-010-9999"),
        ("+1 (555) 010-9999", "555.010.9999"),
        ("+15550109999", "5550109999,,123"),
        ("010 9999", "0109999"),
        ("110", "110"),
        ("*100#", "*100#"),
        ("Vodafone", " VODAFONE "),
    ],
)
def test_same_number(first: str, second: str) -> None:
    assert same_number(first, second)
    assert same_number(second, first)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("+49 151 1234567", "+43 151 1234567"),
        ("+49 151 1234567", "0152 1234567"),
        ("+49 151 1234567", "34567"),
        ("110", "+49110"),
        ("110", "0110"),
        ("00", "+"),
        ("", ""),
        ("", "110"),
        ("Vodafone", "110"),
        ("*100#", "100"),
        ("١٢٣٤٥٦٧", "1234567"),
    ],
)
def test_different_numbers(first: str, second: str) -> None:
    assert not same_number(first, second)
    assert not same_number(second, first)


def test_limit_of_shared_digits() -> None:
    digits = "123456789"

    assert same_number("+49" + digits, digits[-MIN_MATCH:])
    assert not same_number("+49" + digits, digits[1 - MIN_MATCH :])


@settings(deadline=None)
@given(st.text("+0123456789 -()/ab,", max_size=20), st.text(max_size=20))
def test_sameness_has_no_direction(first: str, second: str) -> None:
    assert same_number(first, second) is same_number(second, first)
    assert same_number(first, first) is bool(first.strip())


@given(
    st.sampled_from(["", "+", "00", "0", "+49", "0049", "(0)"]),
    st.text("0123456789 -/", max_size=14),
    st.sampled_from(["", "+", "00", "0", "+49", "0049", "(0)"]),
    st.text("0123456789 -/", max_size=14),
    st.booleans(),
)
def test_same_numbers_have_the_same_key(
    first: str, one: str, second: str, two: str, is_same: bool
) -> None:
    """So that a look-up by the key finds all that `same_number` accepts."""
    left, right = first + one, second + (one if is_same else two)
    if same_number(left, right):
        assert number_key(left) == number_key(right)


@pytest.mark.parametrize(
    ("number", "key"),
    [
        ("+49 (0)30 1234567", "1234567"),
        ("030 1234567;ext=3", "1234567"),
        ("110", "110"),
        ("  Bank ", "bank"),
        ("*100#", "*100#"),
        ("", ""),
    ],
)
def test_number_key(number: str, key: str) -> None:
    assert number_key(number) == key
