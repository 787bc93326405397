"""Lines of a page are those of the whole text, wherever it is cut into pieces."""

import random

import pytest

from aiorescue.rescue.answers import keyed, pages


@pytest.mark.parametrize("seed", range(20))
def test_a_page_split_in_pieces_has_the_lines_of_the_whole(seed: int, monkeypatch: pytest.MonkeyPatch):
    chance = random.Random(seed)
    body = "".join(chance.choice(["a", "\r", "\n", "\r\n", "\u2028", "", "longer text"]) for _ in range(400))
    monkeypatch.setattr(keyed, "PIECE", chance.randrange(1, 50))
    monkeypatch.setattr(pages, "PIECE", chance.randrange(1, 50))
    assert list(keyed.lines_of(pages.with_line_feeds(body))) == body.replace("\r\n", "\n").split("\n")
