"""`clm forget`: customers taken out of everything in a folder, as if they had never been in the log.

Rows are taken out; what was counted or learned from them is counted and learned again, and is not merely corrected: the largest
spend, an edge between scores or a total less its own correction can be one person's. No list of who was forgotten is kept, not
even hashed: it would itself be about them, and ids are few enough to try them all; one slow digest of the whole list lies in
the journal until all is done.

* `ids`: who is meant, from a file, by the rule for ids everywhere;
* `tables`: one Parquet table of clm without them;
* `exports`: CSV and workbooks of clm without them;
* `coded`: under which keys its customers are coded;
* `mentions`: whether anything else names one of them;
* `folder`: which files there are, and what they hold;
* `taking`: what becomes of each, and in which order;
* `rest`: what the run's later stages make of the log that is left.
"""
