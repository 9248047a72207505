"""When a day that is held is looked at again: often while it is young, seldom later, and in the end never."""

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.domain.spans import DAY_SECONDS

HOUR = 3600
OLD_AFTER_DAYS = 30
"""No setting: from this age on the archive counts the looks at a day."""
MOST_DAYS_AHEAD = 366
"""A clock can be so far behind; a day further ahead is none of which anything can come: a range was listed wrongly."""
NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Freshness:
    """After how many seconds what is held is looked at again.

    A day of up to `young_days` after `young`; of up to `week_days` after `week`, `week_gap` with half-hours missing; of
    up to 30 days after `month`. Older ones stay; those with gaps are looked at after 1, 2, 4, … days, `old_looks`
    times. A day of which nothing came is asked for again after `empty`. The list of meters is due after `meters`; it
    is looked at for a meter that is not on it once in `unknown_meter`. `jitter` is by how much a meter's waits differ.
    """

    young_days: int = 2
    young: float = HOUR
    week_days: int = 7
    week: float = 24 * HOUR
    week_gap: float = 6 * HOUR
    month: float = 7 * DAY_SECONDS
    old_looks: int = 6
    empty: float = 6 * HOUR
    meters: float = 6 * HOUR
    unknown_meter: float = 60
    jitter: float = 0.1

    @property
    def meters_stale(self) -> float:
        """Seconds after which the list of meters is looked at before an answer, no longer behind it."""
        return 4 * self.meters

    def recheck_after(
        self,
        age_days: NDArray[np.int64],
        complete: NDArray[np.bool_],
        silent: NDArray[np.bool_],
        checks: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        """Seconds from a day's last confirmation to when it is due again, NEVER if it isn't.

        `age_days` counts from today's UTC day. `complete`: every half-hour expected is present. `silent`: the answer
        had no row of the day although some were expected. `checks`: how often it was looked at since it is old.
        """
        doubling = DAY_SECONDS * 2 ** np.minimum(checks, self.old_looks)
        of_old = np.where(complete | (checks >= self.old_looks), NEVER, doubling)
        is_far_ahead = age_days < -MOST_DAYS_AHEAD
        by_age = np.select(
            [is_far_ahead, age_days <= self.young_days, age_days <= self.week_days, age_days <= OLD_AFTER_DAYS],
            [
                np.full_like(age_days, NEVER),
                np.full_like(age_days, int(self.young)),
                np.where(complete, int(self.week), int(self.week_gap)),
                np.full_like(age_days, int(self.month)),
            ],
            of_old,
        )
        asked_soon = silent & (checks == 0) & ~is_far_ahead
        return np.where(asked_soon, np.minimum(by_age, int(self.empty)), by_age)

    def factor(self, meter_key: tuple[str, str]) -> float:
        """A factor about 1 that is a meter's own, so that not all meters are due at one moment."""
        return 1 + self.jitter * (2 * zlib.crc32("/".join(meter_key).encode()) / 0xFFFFFFFF - 1)
