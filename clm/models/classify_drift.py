"""What is watched of a churn model that scores later customers: the numbers it reads of them, and the score it gives.
Arrays in, arrays out; how far they moved is `drift`'s to tell.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clm.models import classify
from clm.models.classify import Model
from clm.models.classify_buyers import Buyers
from clm.models.classify_features import lean, rich

FloatArray = NDArray[np.float64]

SCORE = "score"


def features(model: Model, buyers: Buyers, p_return: FloatArray, probability: FloatArray) -> dict[str, FloatArray]:
    """What is watched: every number the model reads of the buyers, and the score itself."""
    if isinstance(model, classify.Trees):
        read = dict(zip(model.features, rich(buyers, p_return, model.features).T, strict=True))
    elif isinstance(model, classify.Logistic):
        read = dict(zip(model.features, lean(buyers, p_return, model.features).T, strict=True))
    elif isinstance(model, classify.Return):
        read = {"repeat_days": buyers.repeat_days, "active_days": buyers.active_days, "age_days": buyers.age_days}
    else:
        read = {"silent_days": buyers.recency_days} if isinstance(model, classify.Hiatus) else {}
    return read | {SCORE: probability}
