"""Whether what a model file holds can be used at all, asked before there is a table to apply it to.

It may not ask what depends on a table, a scheme or a setting: the stage does, when it applies its part.
"""

from __future__ import annotations

from clm.model_file import Model


def check_taught(model: Model) -> None:
    """Read the parts that stand by themselves: churn, clv, and the clusters. Raises ConfigError for the first broken one."""
    from clm.stages.churn import applied
    from clm.stages.clv import saved as forecast
    from clm.stages.labelled import saved as labelled
    from clm.stages.segment import clusters

    learned = model.learned
    if "churn" in learned:
        document = learned["churn"]
        labelled.from_json(document, model.name) if labelled.is_labelled(document) else applied.from_json(document)
    if "clv" in learned:
        forecast.from_json(learned["clv"])
    if "clusters" in learned.get("segment", {}):
        clusters.from_json(learned["segment"]["clusters"])
