"""Grafana's files without a Grafana: the keys that it needs, and what it silently ignores or refuses.

By hand, once: the dashboard against the types of @grafana/schema 12.4.11 (tsc --strict) and through
grafana-foundation-sdk 10.1's own reader and writer, which lost no key of a panel.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.deploy.files import compose, dashboard, provisioned, rules

UID = "greengauge-influx"
DASHBOARD_KEYS = {
    "id", "uid", "title", "description", "tags", "schemaVersion", "version", "editable", "graphTooltip",
    "refresh", "timezone", "time", "timepicker", "fiscalYearStartMonth", "weekStart", "preload", "links",
    "annotations", "templating", "panels",
}  # fmt: skip
PANEL_KEYS = {
    "id", "type", "title", "description", "datasource", "gridPos", "targets", "fieldConfig", "options",
}  # fmt: skip
TARGET_KEYS = {"refId", "datasource", "rawQuery", "query", "resultFormat", "alias"}
VARIABLE_KEYS = {
    "name", "label", "type", "datasource", "query", "refresh", "sort", "regex", "multi", "includeAll", "hide",
    "skipUrlSync", "options", "current", "allValue",
}  # fmt: skip


def panels() -> list[dict[str, Any]]:
    return list(dashboard()["panels"])


def test_the_data_source_is_influxql_with_a_fixed_uid() -> None:
    """Dashboards and rules name it by uid; Flux is frozen, so InfluxQL; the token comes from the environment."""
    (source,) = provisioned("datasources")["datasources"]
    assert (source["uid"], source["type"], source["access"]) == (UID, "influxdb", "proxy")
    assert source["jsonData"]["version"] == "InfluxQL"
    assert (
        source["jsonData"]["dbName"] == compose()["services"]["influxdb"]["environment"]["DOCKER_INFLUXDB_INIT_BUCKET"]
    )
    assert source["jsonData"]["httpHeaderName1"] == "Authorization"
    assert source["secureJsonData"]["httpHeaderValue1"] == "Token $INFLUX_TOKEN"
    assert {"INFLUX_URL", "INFLUX_TOKEN"} <= compose()["services"]["grafana"]["environment"].keys()


def test_dashboards_are_where_the_provider_looks() -> None:
    """The mounted folder is the provider's path."""
    (provider,) = provisioned("dashboards")["providers"]
    mounts = dict(volume.split(":")[:2] for volume in compose()["services"]["grafana"]["volumes"])
    assert provider["type"] == "file"
    assert mounts["./deploy/grafana/dashboards"] == provider["options"]["path"]
    assert mounts["./deploy/grafana/provisioning"] == "/etc/grafana/provisioning"


def test_the_dashboard_is_classic() -> None:
    """Classic JSON with a fixed uid and no id: the form that provisioning takes (v2 files are refused)."""
    found = dashboard()
    assert found.keys() == DASHBOARD_KEYS
    assert (found["uid"], found["id"], found["schemaVersion"]) == ("greengauge", None, 42)


@pytest.mark.parametrize("panel", panels(), ids=lambda panel: panel["title"])
def test_a_panel_is_whole(panel: dict[str, Any]) -> None:
    """Known keys, our data source everywhere, a description for whoever wonders, queries with distinct refIds."""
    assert panel.keys() == PANEL_KEYS
    assert panel["type"] in {"timeseries", "stat", "state-timeline", "table"}
    assert panel["description"]
    refs = [target["refId"] for target in panel["targets"]]
    assert len(set(refs)) == len(refs) > 0
    for target in panel["targets"]:
        assert target.keys() == TARGET_KEYS
        assert target["rawQuery"] is True
        assert target["resultFormat"] in {"time_series", "table"}
    for part in (panel, *panel["targets"]):
        assert part["datasource"] == {"type": "influxdb", "uid": UID}


def test_panels_do_not_overlap() -> None:
    """24 columns; two panels never share a cell; ids are unique."""
    cells: set[tuple[int, int]] = set()
    for panel in panels():
        at = panel["gridPos"]
        mine = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not mine & cells, panel["title"]
        cells |= mine
    assert len({panel["id"] for panel in panels()}) == len(panels())


def test_every_variable_used_is_declared() -> None:
    """And declared with known keys, asking the same data source."""
    variables = dashboard()["templating"]["list"]
    for variable in variables:
        assert variable.keys() <= VARIABLE_KEYS
        assert variable["datasource"]["uid"] == UID
        assert not variable["includeAll"] or variable["allValue"] == ".*"
    text = str(panels())
    used = set(re.findall(r"\$\{(\w+):", text)) | set(re.findall(r"\$(\w+)", text))
    used = {name for name in used if not name.startswith(("tag_", "__", "col", "timeFilter"))}
    assert used == {variable["name"] for variable in variables}


def test_all_four_degrees_and_the_emissions_are_shown() -> None:
    """What the dashboard is for."""
    text = " ".join(target["query"] for panel in panels() for target in panel["targets"])
    assert set(re.findall(r"\"degree\" = '(\w+)'", text)) == {"gd", "lcd", "cd", "sd"}
    for wanted in ("'1min'", "'1h'", '"limit"', '"completeness"', 'FROM "reading"', 'FROM "alarm"', '"simulated"'):
        assert wanted in text


def test_withheld_values_are_never_drawn() -> None:
    """A value that a restatement took back stays in its field: every query of `value` asks for withheld = 0."""
    for panel in panels():
        for target in panel["targets"]:
            assert 'last("value")' not in target["query"] or '"withheld" = 0' in target["query"], panel["title"]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["uid"])
def test_a_rule_is_whole(rule: dict[str, Any]) -> None:
    """`for` always, no data and failing queries decided, conditions and expressions refer to what is there."""
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,40}", rule["uid"])
    assert re.fullmatch(r"\d+[sm]", rule["for"])
    assert rule["noDataState"] in {"NoData", "Alerting", "OK", "KeepLast"}
    assert rule["execErrState"] in {"Error", "Alerting", "OK", "KeepLast"}
    refs = [part["refId"] for part in rule["data"]]
    assert rule["condition"] == refs[-1]
    for position, part in enumerate(rule["data"]):
        assert part["model"]["refId"] == part["refId"]
        assert part["relativeTimeRange"]["from"] > part["relativeTimeRange"]["to"] >= 0
        if part["datasourceUid"] == "__expr__":
            used = part["model"]["expression"]
            named = set(re.findall(r"\$(\w+)", used)) or {used}
            assert named <= set(refs[:position])
        else:
            assert part["datasourceUid"] == UID == part["model"]["datasource"]["uid"]


def test_the_hour_average_has_its_rule() -> None:
    """Hour average against limit: headroom at or below 0, of valid hours only."""
    (rule,) = [rule for rule in rules() if rule["uid"] == "greengauge-emission-hour"]
    query = rule["data"][0]["model"]["query"]
    assert "\"average\" = '1h'" in query
    assert '"valid" = 1' in query
    assert rule["data"][-1]["model"]["expression"] == "$last <= 0"
