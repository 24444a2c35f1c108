"""An analyser that is lost for days while the kiln runs."""

from __future__ import annotations

from scoring.reference.table import Comparison, Twin
from tests.scoring.reference.works import BASE, HOUR, MINUTE, batch, run, works


def test_what_stands_in_lasts_as_long_as_the_outage() -> None:
    """Rule `last`, 50 x 0.1 mg/m3 x 400,000 m3/h = 2 kg an hour: every day lost has 24 of them."""
    plant = works()
    feed, pm, flow = (plant.channel(*name.split(".")).index for name in ("kiln.feed", "dust.pm", "dust.flow"))
    found = [(feed, BASE + t * 10 * MINUTE, 3000, 0, 78) for t in range(6 * 24 * 8)]
    for day in (0, 7):
        for t in range(12 * 5):
            ts = BASE + day * 24 * HOUR + t * 5 * MINUTE
            found += [(pm, ts, 50, 0, 78), (flow, ts, 400_000, 0, 78)]
    found.sort(key=lambda row: row[1])
    made = run(plant, found, 300)
    days = sorted(t.ts for k, t in made.told.items() if k[2:4] == ("pm", "1d"))
    masses = [made.told["Emission", "stack:acme/wuhu/cooler", "pm", "1d", ts].extra["mass"] for ts in days[1:6]]
    assert [round(m) for m in masses if m] == [48] * 5
    comparison = Comparison()
    comparison.add(Twin(plant, batch(plant, found)), made.told.values(), ["hour", "day", "operating-days"])
    assert [d for d in comparison.differences if d.key[0].endswith("cooler")] == []
