"""Foreign files in: `read_text` cuts them into text, `understand` says what the text means, each with its evidence.

It may not write files or judge records: `stages.clean` types and judges, the shell writes.
"""

from clm.ingest.evidence import Evidence
from clm.ingest.profiles import recorded
from clm.ingest.reading import Reading
from clm.ingest.saved import saved
from clm.ingest.text import TextLog, read_text
from clm.ingest.understand import understand

__all__ = ["Evidence", "Reading", "TextLog", "read_text", "recorded", "saved", "understand"]
