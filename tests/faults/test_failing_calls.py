"""The n-th call fails, for every n: whatever storage asks of the system may be refused, and no file is lost or torn for it."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from clm.cli import main
from clm.errors import Exit
from tests import battery
from tests.faults import sabotage
from tests.faults.sabotage import Fault
from tests.faults.world import CASES, World, content, litter

ERRORS = (errno.ENOSPC, errno.EIO, errno.EACCES)
# an input that cannot be opened is the reader's 66
_ALLOWED = (Exit.CANNOT_CREATE, Exit.IO, Exit.NO_INPUT)
_WHOLE = [(case, call) for case in CASES for call in sabotage.CALLS]
_SLICE = [("rfm", call) for call in sabotage.CALLS] + [("clean", "write"), ("clean", "replace")]


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("case", "call"), _WHOLE if battery.WHOLE else _SLICE)
def test_every_failing_call_is_an_answer(
    shops: World,
    tmp_path: Path,
    scratch: Path,
    capfd: pytest.CaptureFixture[str],
    count: battery.Count,
    case: str,
    call: str,
) -> None:
    """Exit 73 or 74 with the remedy, each file old or complete, nothing left over; and the next run works."""
    problems: list[str] = []
    out = tmp_path / "out"
    failed = 0
    shops.outputs(case, "old"), shops.outputs(case, "new")
    for nth in range(1, 1000):
        struck = False
        for number in ERRORS if battery.WHOLE else ERRORS[nth % 3 : nth % 3 + 1]:
            fault = Fault(call, nth, number)
            found = _break(shops, case, out, scratch, fault, capfd)
            problems += [f"{call} {nth} {errno.errorcode[number]}: {problem}" for problem in found]
            struck |= fault.struck
            failed += fault.struck
        if not struck:
            break
    count("failing the n-th call for every n", failures=failed, wrong=len(problems))
    assert not problems, "\n".join(problems)


def _break(shops: World, case: str, out: Path, scratch: Path, fault: Fault, capfd: pytest.CaptureFixture[str]) -> list[str]:
    """One command with its fault, and the next without."""
    shops.lay(case, out)
    argv = [*shops.argv(case, out), "-q"]
    with sabotage.arranged(fault):
        code = main(argv)
    said = capfd.readouterr().err
    problems = [f"torn: {name}" for name in shops.torn(case, out)]
    done = content(out) == shops.outputs(case, "new")
    if code == 0 and not done:
        problems.append("exit 0, but not everything was written")
    if code != 0 and (code not in _ALLOWED or "to do:" not in said or "Traceback" in said):
        problems.append(f"exit {code}: {said}")
    if fault.where != "_discard":  # what could not be removed goes with the next run
        problems += [f"left: {name}" for name in litter(out, scratch)]
    if fault.number == ERRORS[fault.nth % 3]:
        if main(argv) != 0 or content(out) != shops.outputs(case, "new"):
            problems.append("the next run does not make what it should")
        problems += [f"left after the next run: {name}" for name in litter(out, scratch)]
    return problems
