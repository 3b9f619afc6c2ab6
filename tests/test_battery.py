"""What the battery adds up and how it says it."""

from __future__ import annotations

from tests import battery


def test_counts_of_several_tests_are_one_line_a_promise() -> None:
    """Whole numbers add up, of others the largest counts; what other plug-ins record is left alone."""
    recorded: list[tuple[str, object]] = [("other", 1)]
    count = battery.counter(lambda name, value: recorded.append((name, value)))
    count("killed", kills=1000, corrupt=0)
    count("killed", kills=350, corrupt=2)
    count("answered", files=3, longest_seconds=2.0)
    count("answered", files=4, longest_seconds=1.25)
    assert battery.lines(battery.gathered(recorded)) == [
        "answered  7 files, longest seconds 2.0",
        "killed    1,350 kills, 2 corrupt",
    ]
    assert battery.lines({}) == []
