"""Results as Markdown tables and as an SVG picture."""

from collections.abc import Mapping, Sequence
from html import escape

import attrs


@attrs.frozen
class Row:
    """One row of a table about the pace: what was reached, the goals, and what the peers reached.

    Attributes:
        name: of the scenario.
        share: accepted calls as a share of those that the service permits.
        rejected: rejected calls as a share of all.
        goal: the least `share` to reach; None without a goal.
        most: the greatest `rejected` to stay below; None without a goal.
        peers: share and rejected of other pacers, by name.
    """

    name: str
    share: float
    rejected: float
    goal: float | None = None
    most: float | None = None
    peers: Mapping[str, tuple[float, float]] = attrs.field(factory=dict)

    @property
    def good(self) -> bool:
        """Whether the goals are reached."""
        return (self.goal is None or self.share >= self.goal) and (self.most is None or self.rejected <= self.most)

    @property
    def goals(self) -> str:
        """The goals, and a mark whether they are reached."""
        if self.goal is None or self.most is None:
            return "-"
        return f"≥ {self.goal:.0%}, ≤ {self.most:.1%} {'✓' if self.good else '✗'}"


def table(rows: Sequence[Row]) -> str:
    """A Markdown table of rows; each cell has the share of the permitted calls and the share of rejected ones."""
    peers = list(dict.fromkeys(peer for row in rows for peer in row.peers))
    lines = [["service", "goal", "**aiorescue**", *peers]]
    for row in rows:
        cells = [_cell(*row.peers[peer]) if peer in row.peers else "" for peer in peers]
        lines.append([row.name, row.goals, f"**{_cell(row.share, row.rejected)}**", *cells])
    return grid(lines)


def grid(lines: Sequence[Sequence[str]]) -> str:
    """A Markdown table of cells; the first line is its head."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    text = ["| " + " | ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)) + " |" for line in lines]
    text.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(text)


def _cell(share: float, rejected: float) -> str:
    return f"{share:.1%} · {rejected:.1%}"


_COLOURS = ("#1b6ca8", "#9db4c0", "#c2b8a3", "#a3b18a", "#d4a373", "#b5838d", "#8d99ae")
_REJECTED = "#c1121f"
_BAR, _LEFT, _WIDTH = 9, 250, 520


def bars(title: str, rows: Sequence[Row]) -> str:
    """An SVG picture: for each row one bar for each pacer, with its rejected calls in red behind it."""
    names = ["aiorescue", *dict.fromkeys(peer for row in rows for peer in row.peers)]
    parts, y = [f'<text x="10" y="22" font-size="15" font-weight="bold">{escape(title)}</text>'], 44
    for index, name in enumerate(names):
        x = 10 + index * 112
        parts.append(f'<rect x="{x}" y="{y - 9}" width="10" height="10" fill="{_COLOURS[index]}"/>')
        parts.append(f'<text x="{x + 14}" y="{y}">{escape(name)}</text>')
    y += 18
    for row in rows:
        results = {"aiorescue": (row.share, row.rejected)} | dict(row.peers)
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 10}" text-anchor="end">{escape(row.name)}</text>')
        top = y
        for name, (share, rejected) in results.items():
            # All calls that were made are 1 / (1 - rejected) of the accepted ones.
            length = min(share, 1.05) * _WIDTH
            lost = min(share * rejected / max(1 - rejected, 0.01), 1.25 - min(share, 1.05)) * _WIDTH
            colour = _COLOURS[names.index(name)]
            parts.append(f'<rect x="{_LEFT}" y="{y}" width="{length:.1f}" height="{_BAR - 1}" fill="{colour}"/>')
            parts.append(
                f'<rect x="{_LEFT + length:.1f}" y="{y}" width="{lost:.1f}" height="{_BAR - 1}" fill="{_REJECTED}"/>'
            )
            y += _BAR
        if row.goal is not None:
            goal = _LEFT + row.goal * _WIDTH
            parts.append(
                f'<line x1="{goal}" x2="{goal}" y1="{top - 2}" y2="{y + 1}" stroke="black" stroke-dasharray="2"/>'
            )
        y += 10
    parts.append(
        f'<text x="{_LEFT}" y="{y + 6}">red: rejected calls · dashed: the goal · full length: permitted</text>'
    )
    full = _LEFT + _WIDTH
    parts.append(f'<line x1="{full}" x2="{full}" y1="56" y2="{y - 6}" stroke="#555"/>')
    size = f'width="{_LEFT + _WIDTH * 1.25 + 20:.0f}" height="{y + 16}"'
    style = 'font-family="sans-serif" font-size="11"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}><rect width="100%" height="100%" fill="white"/>' + (
        "\n".join(parts) + "</svg>\n"
    )
