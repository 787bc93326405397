"""The picture of a run as SVG: PINs a second over time, with rejections below and outages behind.

The drawing is stretched to the width of the page. Its letters are HTML around it, so that they keep their size.
"""

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from aiorescue.cli.bulk.run_page.timeline import Stretch
from aiorescue.cli.bulk.tally import clock

#: Bars at most, and PINs that one of them holds on average at least.
MOST_BARS: Final = 120
PINS_A_BAR: Final = 4.0
#: Units of the drawing.
_WIDTH, _HEIGHT, _STRIP = 1000.0, 240.0, 36.0
#: Share of its place that a bar fills.
_FULL: Final = 0.86
#: Labels of the time axis.
_LABELS: Final = 5


def picture(
    bars: Sequence[Stretch], width: float, *, limit: float, outages: Sequence[tuple[float, float | None]]
) -> str:
    """HTML of the picture.

    Args:
        bars: what happened, in stretches of equal length.
        width: seconds of a stretch.
        limit: PINs per second that the service allows to all identities.
        outages: beginning and end of each outage in seconds; the end is None while it lasts.
    """
    rates = [bar.issued / width for bar in bars]
    top = _above(max([*rates, limit if limit <= 3 * max([*rates, 0.0]) else 0.0]))
    seconds = len(bars) * width
    place = _WIDTH / max(len(bars), 1)
    shapes = [
        *_bands(outages, seconds),
        *_grid(),
        _path("pins", ((number * place, rate / top) for number, rate in enumerate(rates)), place, _HEIGHT),
    ]
    if limit <= top:
        height = _HEIGHT * (1 - limit / top)
        shapes.append(f'<path class="limit" d="M0 {height:.1f}H{_WIDTH:g}"/>')
    most = max([bar.rejected for bar in bars], default=0)
    said = f"PINs a second over {clock(seconds)}, at most {max(rates, default=0.0):.3g}; {most} rejections at most"
    strip = _path("rejected", ((n * place, bar.rejected / max(most, 1)) for n, bar in enumerate(bars)), place, _STRIP)
    return (
        f'<figure><div class="plot"><div class="axis"><span>{top:g}</span><span>{top / 2:g}</span><span>0</span></div>'
        f'<svg viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(said)}">{"".join(shapes)}</svg></div>\n'
        + _strip(strip, most)
        + f'<div class="times">{"".join(f"<span>{clock(each)}</span>" for each in _times(seconds))}</div>\n'
        f"<figcaption>{_key(limit, width, shown=limit <= top, outages=bool(outages))}</figcaption></figure>\n"
    )


def _key(limit: float, width: float, *, shown: bool, outages: bool) -> str:
    parts = [f'<i class="pins"></i>PINs a second, each bar {duration_of(width)}']
    if shown:
        parts.append(f'<i class="limit"></i>what the service allows: {limit:g} a second')
    parts.append('<i class="rejected"></i>requests rejected as too fast')
    if outages:
        parts.append('<i class="outage"></i>the job waits for the service')
    return "".join(f"<span>{part}</span>" for part in parts)


def _strip(path: str, most: int) -> str:
    """The strip of rejections below the picture."""
    return (
        f'<div class="plot strip"><div class="axis"><span>{most or ""}</span></div>'
        f'<svg viewBox="0 0 {_WIDTH:g} {_STRIP:g}" preserveAspectRatio="none" aria-hidden="true">{path}</svg></div>\n'
    )


def _path(name: str, bars: Iterator[tuple[float, float]], place: float, height: float) -> str:
    """Bars as one path; each is given by its left side and its share of the height."""
    wide = place * _FULL
    drawn = (f"M{left:.2f} {height:g}v{-share * height:.2f}h{wide:.2f}V{height:g}z" for left, share in bars if share)
    return f'<path class="{name}" d="{"".join(drawn)}"/>'


def _grid() -> Iterator[str]:
    for share in (0.0, 0.5, 1.0):
        yield f'<path class="grid" d="M0 {share * _HEIGHT:g}H{_WIDTH:g}"/>'


def _bands(outages: Sequence[tuple[float, float | None]], seconds: float) -> Iterator[str]:
    for began, ended in outages:
        left = _WIDTH * min(began / seconds, 1.0) if seconds else 0.0
        right = _WIDTH if ended is None or not seconds else _WIDTH * min(ended / seconds, 1.0)
        yield f'<rect class="outage" x="{left:.2f}" y="0" width="{max(right - left, 1.0):.2f}" height="{_HEIGHT:g}"/>'


def _times(seconds: float) -> Iterator[float]:
    for number in range(_LABELS):
        yield seconds * number / (_LABELS - 1)


def _above(value: float) -> float:
    """A round number that is not below a value, for the top of an axis."""
    power = 1e-3
    while True:
        for digit in (1, 2, 5):
            if digit * power >= value:
                return round(digit * power, 3)
        power *= 10


def duration_of(seconds: float) -> str:
    """Seconds with the digits that matter: ``0.25 s``, ``8 s``, ``1:04``, ``2:30:00``."""
    if seconds == 0:
        return "0 s"
    if seconds < 1e-3:  # noqa: PLR2004 - a millisecond
        return f"{seconds * 1e6:.0f} µs"
    if seconds < 1:
        return f"{seconds * 1e3:.3g} ms"
    return f"{seconds:.3g} s" if seconds < 60 else clock(seconds)  # noqa: PLR2004 - a minute
