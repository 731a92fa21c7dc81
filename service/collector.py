"""Python's collector of cycles, in processes that run for long and make hardly any."""

from __future__ import annotations

import gc


def spare_the_collector() -> None:
    """Have the cycle collector look at little, and seldom.

    What stands now stays for good; what a drain or a request makes holds hardly any cycles. With
    the defaults a tenth of a worker's time went into looking for them, and a web process stood
    still for the length of several requests at a time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
