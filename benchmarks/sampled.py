"""Runs a module as `python -m` would, and can be asked where its processor time goes: the benchmark's own launcher.

    python -m benchmarks.sampled OUT app.cli run

SIGUSR1 begins, SIGUSR2 ends and writes OUT: one line a stack, outermost frame first, and the microseconds it took. A
timer of the process's own processor time rings (`ITIMER_PROF`); each ring looks at the main thread, where the loop and
the live path run, and gives its stack the processor time that this thread has really used since the last ring. So
waiting counts for nothing, and what other threads used (the commit) is one line of its own. No product code knows of
it, and nothing is installed.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import time
from collections import Counter
from types import CodeType, FrameType

INTERVAL = 0.001  # seconds of processor time; the kernel rings at its own tick, which is coarser
DEEPEST = 80
THREADS = "other threads (threads:0)"

Stack = tuple[tuple[CodeType, int], ...]


class Sampler:
    """Counts microseconds per stack between `begin` and `end`."""

    def __init__(self, out: str) -> None:
        self._out = out
        self._counts: Counter[Stack] = Counter()
        self._own = self._all = self._own_began = self._all_began = 0.0

    def install(self) -> None:
        """Listen to the three signals. Only the main thread may."""
        signal.signal(signal.SIGUSR1, self.begin)
        signal.signal(signal.SIGUSR2, self.end)
        signal.signal(signal.SIGPROF, self.ring)

    def begin(self, _number: int, _frame: FrameType | None) -> None:
        """Count from now on."""
        self._counts.clear()
        self._own = self._own_began = time.thread_time()
        self._all_began = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, INTERVAL, INTERVAL)

    def ring(self, _number: int, frame: FrameType | None) -> None:
        """Give what was used since the last ring to the stack that runs now."""
        now = time.thread_time()
        stack: list[tuple[CodeType, int]] = []
        while frame is not None and len(stack) < DEEPEST:
            stack.append((frame.f_code, frame.f_lineno))
            frame = frame.f_back
        self._counts[tuple(stack)] += round((now - self._own) * 1e6)
        self._own = now

    def end(self, _number: int, _frame: FrameType | None) -> None:
        """Stop counting and write."""
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        own, everybody = time.thread_time() - self._own_began, time.process_time() - self._all_began
        lines = [f"{_words(stack)} {used}" for stack, used in self._counts.items() if used]
        lines.append(f"{THREADS} {max(0, round((everybody - own) * 1e6))}")
        with open(f"{self._out}.part", "w", encoding="utf-8") as out:  # noqa: PTH123 - nothing more is imported here
            out.write("\n".join(lines) + "\n")
        os.replace(f"{self._out}.part", self._out)  # noqa: PTH105


def _words(stack: Stack) -> str:
    return ";".join(f"{code.co_qualname} ({code.co_filename}:{line})" for code, line in reversed(stack))


def main() -> None:
    """Install the sampler, then become the module that was asked for."""
    out, module = sys.argv[1], sys.argv[2]
    Sampler(out).install()
    sys.argv = sys.argv[2:]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
