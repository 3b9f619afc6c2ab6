"""Write `orders.csv`: eighteen months of an invented tea shop, with the dirt of real exports. Run it again, get the same bytes.

It may not use anything but the standard library, nor any real person, shop or order.
"""

from __future__ import annotations

import math
import sys
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

SEED = 20240630
FIRST_DAY, LAST_DAY = datetime(2023, 1, 2), datetime(2024, 6, 30)
CUSTOMERS = 60
HEADER = "Order No,Customer ID,Order Date,Product 商品,Category,Quantity,Unit Price,Channel,Status"
PRODUCTS = (
    ("Longjing tea 龙井茶 50g", "green tea", 128.00),
    ("Biluochun tea 碧螺春 50g", "green tea", 98.50),
    ("Tieguanyin 铁观音 100g", "oolong", 76.00),
    ("Da Hong Pao 大红袍 100g", "oolong", 168.00),
    ("Keemun black tea 祁门红茶", "black tea", 58.80),
    ("Aged pu'er cake 陈年普洱茶饼", "dark tea", 1280.00),
    ("Jasmine pearls 茉莉龙珠", "scented tea", 45.90),
    ("Gaiwan, white porcelain 盖碗", "teaware", 88.00),
    ('Bamboo tray, 12" 竹茶盘', "teaware", 239.00),
    ("Chrysanthemum 胎菊", "herbal", 22.50),
)
CHANNELS = ("shop", "web", "mini-app")


class Dice:
    """Random numbers from `random()` alone: its stream is the same on every Python, that of the other methods is not promised."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 nothing here is secret

    def below(self, number: int) -> int:
        return int(self._random.random() * number)

    def chance(self, share: float) -> bool:
        return self._random.random() < share

    def wait(self, mean: float) -> float:
        return -math.log(1 - self._random.random()) * mean

    def near(self, low: float, high: float) -> float:
        """Between low and high, evenly on a logarithmic scale."""
        return low * (high / low) ** self._random.random()


def money(value: float) -> str:
    text = f"¥{value:,.2f}"
    return f'"{text}"' if "," in text else text


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if "," in text or '"' in text else text


def orders(dice: Dice) -> list[tuple[datetime, str, list[str]]]:
    """(moment, order number, lines) of every order, each customer with a rhythm and a lifetime of their own."""
    found: list[tuple[datetime, str, list[str]]] = []
    days = (LAST_DAY - FIRST_DAY).days
    for number in range(1, CUSTOMERS + 1):
        rhythm = dice.near(9, 150)
        joined = FIRST_DAY + timedelta(days=dice.below(days - 30))
        leaves = joined + timedelta(days=dice.wait(320))
        channel = CHANNELS[dice.below(3)]
        taste = dice.below(len(PRODUCTS))
        moment = joined
        while moment <= min(leaves, LAST_DAY):
            stamp = moment.replace(hour=9 + dice.below(12), minute=dice.below(60))
            found.append((stamp, f"C{number:04d}", basket(dice, taste, channel)))
            moment += timedelta(days=1 + dice.wait(rhythm))
    return sorted(found, key=lambda order: (order[0], order[1]))


def basket(dice: Dice, taste: int, channel: str) -> list[str]:
    """The ends of the lines of one order: product, category, quantity, price, channel."""
    lines = []
    first = taste if dice.chance(0.6) else dice.below(len(PRODUCTS))
    for step in range(1 + dice.below(2)):
        product, category, price = PRODUCTS[(first + 3 * step) % len(PRODUCTS)]
        quantity = 1 + (dice.below(3) if price < 200 else 0)
        lines.append(f"{quoted(product)},{category},{quantity},{money(price)},{channel}")
    return lines


def rows() -> list[str]:
    """The clean lines first, then what people and spreadsheets do to them."""
    dice = Dice(SEED)
    lines: list[str] = []
    for number, (moment, buyer, basket_lines) in enumerate(orders(dice), start=1):
        status = "cancelled" if dice.chance(0.02) else "completed"
        shown = "" if dice.chance(0.03) else f" {buyer} " if dice.chance(0.03) else buyer
        head = f"T{number:05d},{shown},{moment:%Y-%m-%d %H:%M}"
        lines += [f"{head},{line},{status}" for line in basket_lines]
        if status == "completed" and shown and dice.chance(0.03):
            back = moment + timedelta(days=3)
            product, quantity, price = taken_back(basket_lines[0])
            if back <= LAST_DAY:
                lines.append(f"R{number:05d},{buyer},{back:%Y-%m-%d %H:%M},{product},-{quantity},{price},completed")
    lines.insert(40, lines[39])  # a line sent twice
    place = next(place for place in range(60, len(lines)) if ",C" in lines[place])
    order, customer, rest = lines[place].split(",", 2)
    lines[place] = f'{order},="{customer}",{rest}'  # an id a spreadsheet was told to leave alone
    lines[90] = lines[90].split(",")[0] + "," + lines[90].split(",")[1]  # a line cut off
    lines[120] = lines[120].replace(lines[120].split(",")[2], "2023-02-30 10:00")  # no such day
    lines.insert(150, "")
    lines.insert(180, HEADER)  # two exports pasted together
    return [*lines, "合计,,,,,,,,"]


def taken_back(line: str) -> tuple[str, str, str]:
    """Product and category, quantity, and price with channel of a line."""
    head, quantity, rest = line, "", ""
    for category in sorted({category for _, category, _ in PRODUCTS}):
        before, found, after = line.partition(f",{category},")
        if found:
            quantity, _, rest = after.partition(",")
            head = f"{before},{category}"
    return head, quantity, rest


def main(target: Path) -> None:
    target.write_bytes("".join(f"{line}\n" for line in [HEADER, *rows()]).encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("orders.csv"))
