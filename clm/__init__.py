"""clm turns an order log into customer decisions, in a terminal.

The map of the house. One customer table travels through the rooms; every room reads it, adds its own columns, passes it on.

    orders.csv -> ingest -> stages/clean -> TRANSACTIONS -> stages/{snapshot, rfm} -> CUSTOMERS -> {segment, clv, churn} -> report

* `tables`, `settings`, `errors`, `outcome`: the nouns. They import nothing heavy and know nobody else; `dtypes` gives the
  tables' types to Polars, `rules` their rules to every engine.
* `stages/`: one verb a file, pure functions from frames to an `Outcome`; `models/`: arrays in, records out; `engines/`: where the
  heavy reduce runs.
* `ingest/` reads foreign files; `storage/` reads and publishes our own; `report/` draws; `console` talks to people.
* `steps` joins one pure stage to its files, in the `formats` asked for; `pipeline` takes the steps in order and keeps the
  `record`; `cli/` is the shell around both.
* `verify/` holds files against what they say of themselves, `forget/` takes customers out of them and keeps a `journal` while
  it does; `doctor` looks at the machine.
"""

__version__ = "0.1.0"
