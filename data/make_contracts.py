"""Write `contracts.csv`: members of an invented gym, with a column that says who left. Run it again, get the same bytes.

It may not use anything but the standard library, nor any real person, club or contract.
"""

from __future__ import annotations

import math
import sys
from datetime import date, timedelta
from pathlib import Path
from random import Random

SEED = 20240630
MEMBERS = 600
TODAY = date(2024, 6, 30)
HEADER = "member,joined,plan,club,months,visits,fee,paid,country,left"
FEES = {"monthly": 39.0, "yearly": 29.0}


def rows() -> list[str]:
    """One member a row: who pays by the month, joined lately and visits rarely leaves more often."""
    draw = Random(SEED)  # noqa: S311
    made = []
    for number in range(1, MEMBERS + 1):
        days = draw.randrange(10, 60 * 30)
        months, visits = days // 30, draw.randrange(0, 21)
        plan, club = draw.choice(("monthly", "yearly")), draw.choice(("north", "south", "east"))
        fee = FEES[plan] + draw.randrange(0, 1000) / 100
        odds = 0.6 - 0.05 * months - 0.14 * visits + (1.6 if plan == "monthly" else 0.0) + (0.6 if club == "east" else 0.0)
        left = "Yes" if draw.random() < 1.0 / (1.0 + math.exp(-odds)) else "No"
        # nothing is paid in the first month: the till writes a blank
        paid = f"{months * fee:.2f}" if months else " "
        joined = TODAY - timedelta(days=days)
        made.append(f"M{number:04d},{joined},{plan},{club},{months},{visits},€{fee:.2f},{paid},NL,{left}")
    return made


def main(target: Path) -> None:
    """Write the table."""
    target.write_bytes(("\n".join([HEADER, *rows()]) + "\n").encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "contracts.csv")
