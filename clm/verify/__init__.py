"""`clm verify`: whether files are what clm wrote, as far as they can tell themselves.

It may not repair, write or print; every check is one `Check` with what was found. It finds damage and mix-ups, not forgery.

* `checks`: the record of one check, and what comes of several;
* `table`: one Parquet table: footer, seal, pages, contract, books, order;
* `books`: the accounting in a footer, by itself, against the rows and against the stage before;
* `chain`: the ancestors in a footer, by themselves and against the files that are there;
* `there`: which files those are, by name and by hash;
* `folder`: the folder of a run, with run.json and model.json.
"""

from clm.verify.checks import Check, record
from clm.verify.files import verify

__all__ = ["Check", "record", "verify"]
