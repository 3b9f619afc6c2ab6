"""The rule language of `--review`, `--where` and rule files: text becomes a tree, a tree becomes a column of yes and no.

It may not run anything: what is not in the grammar of `syntax` cannot be said.
"""

from clm.expressions.syntax import parse
from clm.expressions.tree import Expression, ExpressionError

__all__ = ["Expression", "ExpressionError", "parse"]
