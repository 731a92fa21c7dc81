"""How much is measured: enough for figures worth telling, or just enough to see the tool work."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sizes:
    """Counts of a run.

    Attributes:
        texts: P1's and P9's texts a run.
        mails: P3's.
        slow: P2's, each of which takes 100 ms.
        repeats: runs, whose median is told.
        patients: P4's; ``make bench-memory`` takes a million.
        stored: P5's and P9's subscriptions in the store; the last is P5's.
        idle_s: how long P5 watches a service that has nothing to do.
        rush: P6's subscriptions that are due in the same second.
        imports: P7's rows of a small file and of a large one.
        webhooks: P8's texts to us, at a steady rate, and as many again at once.
        console: patients in the store whose console is looked at.
        workers: P9's numbers of worker processes.
    """

    texts: int = 20_000
    mails: int = 10_000
    slow: int = 6_000
    repeats: int = 3
    patients: int = 50_000
    stored: tuple[int, ...] = (10_000, 100_000, 1_000_000)
    idle_s: float = 20
    rush: int = 100_000
    imports: tuple[int, int] = (20_000, 200_000)
    webhooks: int = 10_000
    console: int = 100_000
    workers: tuple[int, ...] = (1, 2, 4)


QUICK = Sizes(
    texts=2_000,
    mails=1_000,
    slow=640,
    repeats=1,
    patients=5_000,
    stored=(1_000, 5_000, 20_000),
    idle_s=5,
    rush=5_000,
    imports=(2_000, 20_000),
    webhooks=2_000,
    console=5_000,
)
SMOKE = Sizes(
    texts=100,
    mails=100,
    slow=64,
    repeats=1,
    patients=200,
    stored=(200, 400),
    idle_s=1,
    rush=200,
    imports=(50, 200),
    webhooks=100,
    console=200,
    workers=(1,),
)
