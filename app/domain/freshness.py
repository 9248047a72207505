"""When a day that is held is looked at again: often while it is young, seldom later, and in the end never."""

import zlib

import numpy as np
from numpy.typing import NDArray

from app.domain.spans import DAY_SECONDS

HOUR = 3600
OLD_AFTER_DAYS = 30
NEVER = np.iinfo(np.int64).max
METERS_LIST_SECONDS = 6 * HOUR
METERS_LIST_STALE_SECONDS = DAY_SECONDS
"""A list older than this is fetched before the answer, a younger one that is due behind it."""
UNKNOWN_METER_SECONDS = 60


def recheck_after(
    age_days: NDArray[np.int64],
    complete: NDArray[np.bool_],
    silent: NDArray[np.bool_],
    checks: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Seconds from a day's last confirmation to when it is due again, NEVER if it isn't.

    `age_days` counts from today's UTC day. `complete`: every half-hour expected is present. `silent`: the answer had
    no row of the day although some were expected. `checks`: how often it was looked at again since it is old.

    To 2 days every hour; to 7 days after 24 h if complete, 6 h if not; to 30 days weekly; older ones stay,
    incomplete ones are looked at after 1, 2, 4, 8, 16 and 32 days, then never. A silent day is asked again after 6 h.
    """
    old_and_incomplete = np.where(checks <= 5, DAY_SECONDS * 2 ** np.minimum(checks, 5), NEVER)  # noqa: PLR2004
    by_age = np.select(
        [age_days <= 2, age_days <= 7, age_days <= OLD_AFTER_DAYS],  # noqa: PLR2004 - the docstring's
        [
            np.full_like(age_days, HOUR),
            np.where(complete, 24 * HOUR, 6 * HOUR),
            np.full_like(age_days, 7 * DAY_SECONDS),
        ],
        np.where(complete, NEVER, old_and_incomplete),
    )
    asked_soon = silent & (checks == 0)
    return np.where(asked_soon, np.minimum(by_age, 6 * HOUR), by_age)


def jitter(meter_key: tuple[str, str]) -> float:
    """A factor from 0.9 to 1.1 that is a meter's own, so that not all meters are due at one moment."""
    return 0.9 + 0.2 * (zlib.crc32("/".join(meter_key).encode()) / 0xFFFFFFFF)
