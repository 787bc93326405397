"""Chats: a line with a time of its own is a line of its own, and has a writer only where there is one."""

from datetime import time

import pytest

from aiorescue.rescue import Chat, ChatLine


def test_a_report_of_the_service_is_a_line_without_a_writer():
    log = "10:03 AM T: hello\n10:04 AM Remote Control successfully initiated\nmore\n10:05 AM T: bye"
    assert Chat.parse(log).lines == (
        ChatLine(time(10, 3), "T", "hello"),
        ChatLine(time(10, 4), "", "Remote Control successfully initiated\nmore"),
        ChatLine(time(10, 5), "T", "bye"),
    )


@pytest.mark.parametrize(
    "text",
    [
        "Connecting to: control.x.test (1.2.3.4:443)",
        "Connected to: Applet",
        "File sent: C:\\a.txt",
        "URL sent: http://x",
        "The technician said: no",
        "Session started by: Jane",
        "see http://x",
        "10:30",
        "",
    ],
)
def test_what_nobody_wrote_has_no_writer(text):
    assert Chat.parse(f"10:01 AM {text}").lines == (ChatLine(time(10, 1), "", text),)


@pytest.mark.parametrize(
    "name",
    [
        *("Jane Doe", "jane doe", "T", "Jörg van der Berg", "Ed", "Customer", "Technician"),
        *("Service Desk", "Desktop Support", "customer care", "System Administrator", "The IT Team"),
    ],
)
def test_who_wrote_a_line_is_known(name):
    assert Chat.parse(f"22:01 {name}: a: b").lines == (ChatLine(time(22, 1), name, "a: b"),)
    assert Chat.parse(f"22:01 {name}:").lines == (ChatLine(time(22, 1), name, ""),)


def test_a_time_of_another_form_within_a_text_begins_no_line():
    assert Chat.parse("9:00 AM T: when?\n10:30 is fine\n9:01 AM C: ok").lines == (
        ChatLine(time(9), "T", "when?\n10:30 is fine"),
        ChatLine(time(9, 1), "C", "ok"),
    )


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_without_a_time_go_on_with_the_text_before_them(end: str):
    log = end.join(["no time", "9:00 AM T: a", "", "b", "9:01 AM c: ", "9:02 AM T:", "d", ""])
    assert Chat.parse(log).lines == (
        ChatLine(time(9), "T", "a\n\nb"),
        ChatLine(time(9, 1), "c", ""),
        ChatLine(time(9, 2), "T", "\nd\n"),
    )
