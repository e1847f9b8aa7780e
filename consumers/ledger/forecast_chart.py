"""A forecast as a picture: expected against actual by period, what is to come at the pace so far, and top-ups."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import Final

import jinja2

from consumers.ledger.forecast import Forecast, ForecastPeriod
from events.faults.problems import Bilingual
from events.values.money import riyals_text

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
    {"fill": "none", "ar": "المتوقع", "en": "Expected"},
    {"fill": "#00573f", "ar": "الفعلي", "en": "Actual"},
    {
        "fill": "url(#to-come)",
        "ar": "القادم بوتيرة الفترات المقفلة",
        "en": "To come, at the pace of closed periods",
    },
    {"fill": "#b3261e", "ar": "التكملة إلى الحد المضمون", "en": "Top-up to the guarantee"},
)


@dataclass(frozen=True, slots=True)
class Bar:
    """A period. Places are in the picture's units, from its top."""

    label: str
    x: float
    width: float
    expected_y: float
    net_y: float
    top_up_y: float
    expected: str
    net: str
    top_up: str
    is_closed: bool
    is_named: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A line across, and the amount that it stands for."""

    y: float
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


def chart_of(shown: Forecast) -> Chart:
    """The places of all bars. Amounts below zero are drawn as none."""
    heights = [max(row.expected_halalas, _net(row) + _top_up(row)) for row in shown.periods]
    scale = _round_up(max(1, *heights, 1))
    step = (_WIDTH - _LEFT - _RIGHT) / max(1, len(shown.periods))
    every = max(1, -(-_LABEL_WIDTH // int(max(1, step))))

    def y(halalas: int) -> float:
        return round(_BOTTOM - (_BOTTOM - _TOP) * max(0, halalas) / scale, 1)

    bars = tuple(
        Bar(
            label=row.period,
            x=round(_LEFT + number * step + step * 0.15, 1),
            width=round(max(5.0, step * 0.7), 1),
            expected_y=y(row.expected_halalas),
            net_y=y(_net(row)),
            top_up_y=y(max(0, _net(row)) + _top_up(row)),
            expected=riyals_text(row.expected_halalas),
            net=riyals_text(_net(row)),
            top_up=riyals_text(_top_up(row)) if _top_up(row) else "",
            is_closed=row.is_closed,
            is_named=number % every == 0,
        )
        for number, row in enumerate(shown.periods)
    )
    lines = tuple(
        Line(y(amount), riyals_text(amount)) for amount in (scale * part // _LINES for part in range(_LINES + 1))
    )
    return Chart(bars, lines)


def svg(shown: Forecast) -> str:
    """The picture, without outside resources."""
    title = Bilingual(
        f"الشراكة {shown.partnership_id}: المتوقع والفعلي، بالريال",
        f"Partnership {shown.partnership_id}: expected and actual, in riyals",
    )
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined)
    template = resources.files("consumers.ledger").joinpath("forecast.svg").read_text(encoding="utf-8")
    return environment.from_string(template).render(chart=chart_of(shown), title=title, keys=_KEYS)


def _net(row: ForecastPeriod) -> int:
    return row.statements["pace"].net_halalas


def _top_up(row: ForecastPeriod) -> int:
    return row.statements["pace"].top_up_halalas


def _round_up(halalas: int) -> int:
    """The next amount with one digit that is not zero."""
    unit: int = 10 ** (len(str(halalas)) - 1)
    return -(-halalas // unit) * unit
