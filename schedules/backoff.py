"""How long to wait before another attempt: exponential, full jitter, capped."""

from typing import Final

_MAX_DOUBLINGS: Final = 60  # beyond any cap in use; keeps the power from overflowing a float


def delay(attempt: int, random: float, *, base_s: float = 1.0, cap_s: float = 300.0) -> float:
    """Return the seconds to wait before the next attempt.

    Full jitter (AWS Architecture Blog, "Exponential Backoff and Jitter"): anything between none
    and the capped exponential, so that workers that failed together do not return together.

    Args:
        attempt: Attempts already made, less one: 0 after the first failure.
        random: A number in [0, 1), drawn by the caller.
        base_s: The longest wait after the first failure, seconds.
        cap_s: The longest wait ever, seconds.

    Raises:
        ValueError: The attempt is negative, or the random number is outside [0, 1).
    """
    if attempt < 0:
        raise ValueError(f"attempt is {attempt}: count attempts from 0")
    if not 0 <= random < 1:
        raise ValueError(f"random is {random}: draw it from [0, 1)")
    return random * min(cap_s, base_s * 2.0 ** min(attempt, _MAX_DOUBLINGS))
