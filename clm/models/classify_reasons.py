"""Why a customer is at risk, and which quantities matter to a model at all: what changes when one of them alone is another.
Arrays in, places in REASONS and shares out; it fits nothing and knows no sentence.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from clm.models import classify, classify_scores
from clm.models.classify_buyers import REASONS, Buyers, Typical, quantity, replaced, shuffled
from clm.models.classify_fit import Fitted, Window

FloatArray = NDArray[np.float64]
ChanceOf = Callable[[Buyers], FloatArray]

NO_REASON = len(REASONS)
# More of these is no reason to leave, and neither is less of the others: the sentence would contradict itself.
_KEEPING = ("recent_order_days", "earlier_order_days", "recent_spend", "products")
_LOSING = ("last_gap_days", "longest_gap_days")
_LEAST_EFFECT = 0.005  # a reason changes the risk by half a percentage point or is none
_DEALS = 3  # times a quantity is dealt anew for its importance
_MOST_DEALT = 10_000  # customers it is dealt among: the mean of a loss needs no more


def reasons(fitted: Fitted, buyers: Buyers, chance_of: ChanceOf, usual: Typical, rhythm_days: FloatArray) -> NDArray[np.int64]:
    """Per buyer the places in REASONS of the three things that raise the risk most, strongest first; NO_REASON fills up.

    The effect of a reason is the fall of the risk when that quantity alone takes the typical value of those who stayed, and
    every feature that depends on it follows. Silence within the buyer's own rhythm, or more orders than usual, is no reason
    whatever the model makes of it: the sentence would contradict itself.
    """
    now = fitted.probability(buyers, chance_of(buyers))
    falls = np.zeros((now.size, len(REASONS)))
    for place, reason in enumerate(REASONS):
        other = replaced(buyers, reason, usual)
        if other is not None:
            falls[:, place] = now - fitted.probability(other, chance_of(other))
    falls[buyers.recency_days <= rhythm_days, REASONS.index("silent_days")] = 0.0
    falls[buyers.repeat_days >= (usual["repeat_days"] or 0.0), REASONS.index("order_days")] = 0.0
    for reason in (*_KEEPING, *_LOSING):
        own, compared = quantity(buyers, reason), usual[reason]
        if own is not None and compared is not None:
            contradicts = own >= compared if reason in _KEEPING else ~(own > compared)
            falls[contradicts, REASONS.index(reason)] = 0.0
    order = np.argsort(-falls, axis=1, kind="stable")[:, :3].astype(np.int64)
    return np.where(np.take_along_axis(falls, order, axis=1) >= _LEAST_EFFECT, order, NO_REASON)


def importance(fitted: Fitted, window: Window, seed: int) -> list[dict[str, object]]:
    """How much worse a labelled window is told when one quantity is dealt anew among its buyers, most important first.

    log_loss: by how much it rises, auc: by how much it falls, means of 3 deals (Breiman 2001, Machine Learning 45(1)); every
    feature that depends on the quantity follows. Quantities this log does not know are left out.
    """

    dice = np.random.default_rng(seed)
    drawn = np.sort(dice.permutation(window.churned.size)[:_MOST_DEALT])
    among, churned = window.buyers.at(drawn), window.churned[drawn]

    def told(buyers: Buyers) -> tuple[float, float]:
        probability = fitted.probability(buyers, classify.p_return(window.returning, buyers))
        auc = classify_scores.auc(probability, churned)
        return float(classify_scores.losses(probability, churned).mean()), 0.5 if auc is None else auc

    loss, auc = told(among)
    orders = [dice.permutation(drawn.size) for _ in range(_DEALS)]
    found: list[tuple[float, float, str]] = []
    for reason in REASONS:
        dealt = [other for order in orders if (other := shuffled(among, reason, order)) is not None]
        if dealt:
            scores = np.array([told(other) for other in dealt]).mean(axis=0)
            found.append((float(scores[0]) - loss, auc - float(scores[1]), reason))
    found.sort(key=lambda one: (-one[0], REASONS.index(one[2])))
    return [{"quantity": reason, "log_loss": worse, "auc": lower} for worse, lower, reason in found]
