"""Draws docs/circular-degree.svg from what `greengauge replay` makes of the example beside this file.

Run from the repository's root: python docs/examples/circular-degree/draw.py
"""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent
PICTURE = HERE.parent.parent / "circular-degree.svg"
YEARS = range(1990, 2014)
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 720, 300, 52, 34, 16, 44


def series() -> dict[int, float | None]:
    """The circular degree of each year, as `replay` prints it; None where the year's figure is lost."""
    command = ("replay", "plant.toml", "readings.csv", "--every", "365d", "--json")
    told = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "greengauge", *command], cwd=HERE, check=True, capture_output=True, text=True
    ).stdout
    found: dict[int, float | None] = dict.fromkeys(YEARS)
    for line in told.splitlines():
        score = json.loads(line)
        if (score["scope"], score["degree"]) == ("country:CN", "cd") and score["value"] is not None:
            # The last object of a key is the newest. A window of 365 days that ends in December holds that year's
            # one reading, of 1 July.
            found[datetime.fromtimestamp(score["ts"] / 1000 - 43_200, UTC).year] = score["value"]
    return found


def picture(values: dict[int, float | None]) -> str:
    """The series as SVG: a stretch each side of the lost years, which stay blank."""

    def x(year: int) -> float:
        return LEFT + (year - YEARS[0]) / (len(YEARS) - 1) * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return TOP + (0.8 - value) / 0.8 * (HEIGHT - TOP - BOTTOM)

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'font-family="system-ui, sans-serif" font-size="12" fill="#333">',
        "<title>Circular degree of China's cement industry, 1990 to 2013</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        '<text x="8" y="18">circular degree (t of wastes per t of materials); masses synthetic, 2008–2012 lost</text>',
    ]
    for tick in (0, 0.2, 0.4, 0.6, 0.8):
        lines.append(f'<path d="M{LEFT} {y(tick):.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        lines.append(f'<text x="{LEFT - 8}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:.1f}</text>')
    lines += [
        f'<text x="{x(year):.1f}" y="{HEIGHT - 22}" text-anchor="middle">{year}</text>'
        for year in (1990, 1995, 2000, 2005, 2010, 2013)
    ]
    lost = [year for year, value in values.items() if value is None]
    if lost:
        lines.append(
            f'<rect x="{x(lost[0]):.1f}" y="{TOP}" width="{x(lost[-1]) - x(lost[0]):.1f}" '
            f'height="{HEIGHT - TOP - BOTTOM}" fill="#f2f2f2"/>'
        )
        middle = (x(lost[0]) + x(lost[-1])) / 2
        lines.append(f'<text x="{middle:.1f}" y="{TOP + 16}" text-anchor="middle" fill="#888">no figures</text>')
    known = [(year, value) for year, value in values.items() if value is not None]
    points = " ".join(f"{x(year):.1f},{y(value):.1f}" for year, value in known if year < min(lost, default=9999))
    lines.append(f'<polyline points="{points}" fill="none" stroke="#2a6f4e" stroke-width="2"/>')
    for year, value in known:
        lines.append(f'<circle cx="{x(year):.1f}" cy="{y(value):.1f}" r="3" fill="#2a6f4e"/>')
    for year, value in (known[0], known[-1]):
        anchor = "start" if year == YEARS[0] else "end"
        lines.append(f'<text x="{x(year):.1f}" y="{y(value) - 8:.1f}" text-anchor="{anchor}">{value}</text>')
    return "\n".join([*lines, "</svg>", ""])


if __name__ == "__main__":
    PICTURE.write_text(picture(series()))
    sys.stdout.write(f"{PICTURE.name} drawn\n")
