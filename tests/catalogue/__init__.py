"""The catalogue of errors: every message clm can raise has a test that raises it, a remedy, and no personal value in it.

`sites` finds every place of the source that makes a message; `hearing` notes, while the ordinary tests run, which places spoke
and what they said; `audit` judges each message as it is made, and the test during which a bad one was made fails; `account`
holds what was heard against what there is at the end of a run of all tests: a message nobody raised fails the run.

So a new message needs a test in the room it belongs to, run in this process (`clm.cli.main`, or the function itself).
"""
