"""Bringing parts down."""

from concurrent.futures import ThreadPoolExecutor

from leadvelocity.stack import process
from leadvelocity.stack.part import Part, Progress
from leadvelocity.stack.parts import Parts
from leadvelocity.stack.record import StackRecord
from leadvelocity.stack.status import running


def stop(part: Part, record: StackRecord, progress: Progress) -> None:
    """Stop `part` if it runs: cleanly, or by force when its time is up."""
    found = running(part, record)
    if found is None:
        return
    progress(f"{part.name}: stopping")
    if not process.stop(found, within_s=part.stop_within_s):
        progress(f"{part.name}: had to be killed after {part.stop_within_s:g} s")


def stop_all(parts: Parts, record: StackRecord, progress: Progress) -> StackRecord:
    """Stop all parts at the same time; return the record without their processes."""
    with ThreadPoolExecutor() as pool:
        for stopping in [pool.submit(stop, part, record, progress) for part in parts]:
            stopping.result()
    for part in parts:
        record = record.with_process(part.name, None)
    return record
