"""The account at the end of a run of all tests: the messages there are against those that were raised.

It may not judge a message: that is done where it is made.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from tests.catalogue.sites import Place, Site

# what no test can raise in its own process, each with the reason; the list may only shrink
OUT_OF_REACH: dict[str, str] = {}


def wrong(sites: Mapping[Place, Site], raised: Collection[Place], out_of_reach: Mapping[str, str]) -> list[str]:
    """What does not add up: messages nobody raised, and reasons for such as are gone or were raised after all."""
    there = {site.key: site for site in sites.values()}
    said = {site.key for place, site in sites.items() if place in raised}
    found = [f"no test raises {site}" for key, site in there.items() if key not in said and key not in out_of_reach]
    found += [f"said to be out of reach, and raised: {key}" for key in out_of_reach if key in said]
    return found + [f"said to be out of reach, and not there: {key}" for key in out_of_reach if key not in there]


def lines(sites: Mapping[Place, Site], raised: Collection[Place], out_of_reach: Mapping[str, str]) -> list[str]:
    """The account as text: one line that adds up, and what does not."""
    count, found = len({site.key for site in sites.values()}), wrong(sites, raised, out_of_reach)
    missing = sum(one.startswith("no test") for one in found)
    first = f"{count} messages = {count - missing - len(out_of_reach)} raised by tests + {len(out_of_reach)} out of reach"
    return [first + (f" + {missing} nobody raises" if missing else ""), *found]
