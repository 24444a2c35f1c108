"""Retained topics of what the registry no longer has."""

from __future__ import annotations

from pathlib import Path

from greengauge.outputs.retained import Retained, alarm_topic, score_topic
from tests.ingest.small_plant import small_plant


def test_topics_of_an_earlier_registry_are_gone_until_cleared(tmp_path: Path) -> None:
    """Renaming the site leaves its scopes and alarms; a kill before they are cleared forgets none of them."""
    assert Retained(tmp_path / "r.json", small_plant("wuhu")).gone == []
    first = Retained(tmp_path / "r.json", small_plant("tongling")).gone
    assert score_topic("site:acme/wuhu") in first
    assert score_topic("stack:acme/wuhu/tail") in first
    assert alarm_topic("line:acme/wuhu/pyro/k1", "meters-silent") in first
    assert score_topic("country:CN") not in first
    again = Retained(tmp_path / "r.json", small_plant("tongling"))
    assert again.gone == first
    again.cleared()
    assert Retained(tmp_path / "r.json", small_plant("tongling")).gone == []
