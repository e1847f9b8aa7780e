"""Alerts and dashboard of `infra/monitoring` ask for what the processes expose."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final, get_args

import promql_parser
import yaml

from infra.observability.telemetry import METRICS, CounterName, HistogramName
from producers.publisher.canary_command import GAUGES
from tests.every import every
from tests.paths import ROOT, product_modules

FOLDER: Final = ROOT / "infra" / "monitoring"
RULES: Final[list[dict[str, Any]]] = yaml.safe_load((FOLDER / "alerts.yml").read_text("utf-8"))["groups"][0]["rules"]
DASHBOARD: Final[dict[str, Any]] = json.loads((FOLDER / "dashboard.json").read_text("utf-8"))
OF_EACH_TARGET: Final = ("instance", "job")


ENDINGS: Final = {
    **dict.fromkeys(get_args(CounterName), ("_total",)),
    **dict.fromkeys(get_args(HistogramName), ("_sum", "_count", "_bucket")),
}
SERIES: Final = (
    {"up": {*OF_EACH_TARGET}}
    | {name: {"origin", *OF_EACH_TARGET} for name in GAUGES}
    | {
        f"yesser_{name}{ending}": {*labels, *OF_EACH_TARGET, *(["le"] if ending == "_bucket" else [])}
        for name, (_, labels) in METRICS.items()
        for ending in ENDINGS.get(name, ("",))
    }
)
"""The name of every series that a process or `yesser canary` may expose → its labels."""


def of_dashboard() -> Iterator[str]:
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield target["expr"].replace("$__rate_interval", "5m")


def asked(expression: str) -> tuple[set[str], set[str]]:
    """The series of an expression, and all labels that it names."""
    names, labels = set[str](), set[str]()

    def note(part: promql_parser.Expr) -> bool:
        if isinstance(part, promql_parser.VectorSelector):
            names.add(str(part.name))
            labels.update(matcher.name for matcher in part.matchers.matchers)
        elif isinstance(part, promql_parser.MatrixSelector):
            note(part.vector_selector)
        elif isinstance(part, promql_parser.AggregateExpr) and part.modifier is not None:
            labels.update(part.modifier.labels)
        return True

    promql_parser.walk(promql_parser.parse(expression), note)
    return names, labels


@every("expression", [*(rule["expr"] for rule in RULES), *of_dashboard()])
def test_what_is_asked_for_is_exposed(expression: str) -> None:
    names, labels = asked(expression)
    assert names
    assert not names - SERIES.keys(), "no process exposes this: name the metric in METRICS of telemetry.py"
    assert all(labels <= SERIES[name] for name in names), "a series has no such label: list it in METRICS"


def test_every_metric_is_on_the_dashboard() -> None:
    shown = set().union(*(asked(expression)[0] for expression in of_dashboard()))
    hidden = [name for name in METRICS if not any(s.startswith(f"yesser_{name}") for s in shown)]
    assert hidden == [], "add a chart to infra/monitoring/dashboard.json"


def test_every_metric_is_counted_somewhere() -> None:
    """`METRICS` has each name before a colon."""
    sources = "".join(path.read_text("utf-8") for path in product_modules())
    idle = [name for name in METRICS if not re.search(rf'"{name}"(?!:|,\n)', sources)]
    assert idle == [], "call `count`, `gauge` or `observe` where it happens"


@every("rule", RULES)
def test_an_alert_names_labels_that_it_has(rule: dict[str, Any]) -> None:
    texts = rule["annotations"]
    for text in (texts["summary"], texts.get("summary_ar", "")):
        named = set(re.findall(r"\$labels\.(\w+)", text))
        labels = {label for name in asked(rule["expr"])[0] for label in SERIES.get(name, ())}
        assert named <= labels, "the text names a label that no series of `expr` has"


def test_each_process_of_the_containers_exposes_its_metrics_where_they_are_read() -> None:
    (job,) = yaml.safe_load((FOLDER / "prometheus.yml").read_text("utf-8"))["scrape_configs"]
    (found,) = job["dns_sd_configs"]
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))["services"]
    assert job["job_name"] == "yesser"
    assert {compose[name]["environment"]["YESSER_HEALTH_PORT"] for name in found["names"]} == {str(found["port"])}
    assert {compose[name]["environment"]["YESSER_HEALTH_HOST"] for name in found["names"]} == {"0.0.0.0"}
