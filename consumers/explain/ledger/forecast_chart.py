"""A forecast as a picture: expected against actual by period, what is to come at the pace so far, and top-ups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from consumers.documents.ledger.forecasts import Forecast, ForecastPeriod
from consumers.documents.ledger.partnerships import RevenuePeriod
from events.values.bilingual import Bilingual
from events.values.money import riyals_text
from infra.http.templates import templates

_WIDTH: Final = 900
_HEIGHT: Final = 430
_LEFT: Final = 110
_TOP: Final = 48
_BOTTOM: Final = 310
_RIGHT: Final = 16
_LABEL_WIDTH: Final = 62
"""Least distance between two labels below the axis."""
_LINES: Final = 4

_KEYS: Final = (
    ("none", Bilingual("المتوقع", "Expected")),
    ("#00573f", Bilingual("الفعلي", "Actual")),
    ("url(#to-come)", Bilingual("القادم بوتيرة الفترات المقفلة", "To come, at the pace of closed periods")),
    ("#b3261e", Bilingual("التكملة إلى الحد المضمون", "Top-up to the guarantee")),
)
"""How a bar is filled, and what it stands for."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A period. Places are whole units of the picture, from its top."""

    label: str
    x: int
    width: int
    expected_y: int
    net_y: int
    top_up_y: int
    expected: str
    net: str
    top_up: str
    is_closed: bool
    is_named: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A line across, and the amount that it stands for."""

    y: int
    riyals: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything in the picture but its words."""

    bars: tuple[Bar, ...]
    lines: tuple[Line, ...]
    width: int = _WIDTH
    height: int = _HEIGHT
    left: int = _LEFT
    bottom: int = _BOTTOM


def chart_of(periods: Sequence[RevenuePeriod | ForecastPeriod]) -> Chart:
    """The places of all bars. Amounts below zero are drawn as none."""
    tops = [max(0, row.net_halalas) + (row.top_up_halalas or 0) for row in periods]
    scale = round_up(max([1, *tops, *(row.expected_halalas for row in periods)]))
    across, count = _WIDTH - _LEFT - _RIGHT, max(1, len(periods))
    every = max(1, -(-_LABEL_WIDTH * count // across))

    def y(halalas: int) -> int:
        return _BOTTOM - (_BOTTOM - _TOP) * max(0, halalas) // scale

    bars = tuple(
        Bar(
            label=row.period,
            x=_LEFT + across * (20 * number + 3) // (20 * count),
            width=max(5, across * 14 // (20 * count)),
            expected_y=y(row.expected_halalas),
            net_y=y(row.net_halalas),
            top_up_y=y(top),
            expected=riyals_text(row.expected_halalas),
            net=riyals_text(row.net_halalas),
            top_up=riyals_text(row.top_up_halalas) if row.top_up_halalas else "",
            is_closed=row.closed,
            is_named=number % every == 0,
        )
        for number, (row, top) in enumerate(zip(periods, tops, strict=True))
    )
    lines = tuple(
        Line(y(amount), riyals_text(amount)) for amount in (scale * part // _LINES for part in range(_LINES + 1))
    )
    return Chart(bars, lines)


def svg(shown: Forecast) -> str:
    """The picture, without outside resources."""
    title = Bilingual("الشراكة {}: المتوقع والفعلي، بالريال", "Partnership {}: expected and actual, in riyals").format(
        shown.partnership_id
    )
    template = templates("consumers.explain.ledger").get_template("forecast.svg")
    return template.render(chart=chart_of(shown.periods), title=title, keys=_KEYS)


def round_up(halalas: int) -> int:
    """The next amount with one digit that is not zero."""
    unit: int = 10 ** (len(str(halalas)) - 1)
    return -(-halalas // unit) * unit
