"""A labelled table: the probability that a customer left, learned from the column that says who did, or by a model saved before.

The other half of `churn`, from an order log, is `stages.churn`. No file here may read a file, or train on a row it scores.
"""

from clm.stages.labelled.applying import from_model
from clm.stages.labelled.learning import Asked, from_label
from clm.stages.labelled.table import ROW, Given

__all__ = ["ROW", "Asked", "Given", "from_label", "from_model"]
